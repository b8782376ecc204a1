-- "hops" as four bytes: how `file`, and we, know one of our databases from another application's.
pragma application_id = 0x686f7073;

-- All spans whose trace ids share their right-most 16 characters. Numbered in order of arrival: what arrives together
-- lies together, and the oldest go as one range.
create table trace (
  id       integer primary key,
  low      text    not null unique,
  first_ms integer,           -- earliest and latest known start of its spans; null: none has a start
  last_ms  integer,
  untimed  integer not null,  -- 1: a span without start is in it
  spans    integer not null
) strict;

-- Search walks it from the newest; covering, so that traces outside the window cost an index entry each.
create index trace_by_time on trace (last_ms, first_ms);

-- The spans of one service in one trace that were committed together: one or a few.
create table part (
  id           integer primary key,
  trace        integer not null,
  service      integer not null,  -- 0: spans without local service
  max_duration integer not null,  -- µs, 0: none is known
  terms        blob    not null,  -- terms.ts: what the spans can be found by, 4 bytes a term
  spans        text    not null   -- JSON list, as normalised on ingest
) strict;

-- All parts of a trace, or those of one service in it. No index by tag: index rows are what ingest pays most for,
-- a scan of terms is cheap enough at the sizes that retention allows.
create index part_by_trace on part (trace, service);

create table service (
  id    integer primary key,
  name  text    not null unique,
  parts integer not null          -- its names go when it has none left
) strict;

create table span_name (
  service integer not null,
  name    text    not null,
  primary key (service, name)
) strict, without rowid;

create table remote_service (
  service integer not null,
  name    text    not null,
  primary key (service, name)
) strict, without rowid;

create table autocomplete (
  key   text not null,
  value text not null,
  primary key (key, value)
) strict, without rowid;
