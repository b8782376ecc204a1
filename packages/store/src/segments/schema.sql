-- "hops" as four bytes: how `file`, and we, know one of our databases from another application's.
pragma application_id = 0x686f7073;

-- A segment: some ten thousand spans that arrived one after the other, their traces sorted by start. Never changed, only
-- replaced by a larger one or deleted. docs/storage.md has the layout of the pieces.
create table segment (
  id         integer primary key,  -- the number of the log that it came from; of a merged one the next free number
  last       integer not null,     -- the last log in it: segments in order of arrival
  spans      integer not null,
  traces     integer not null,
  min_ms     integer,              -- earliest and latest start of its spans, ms; null: none has one
  max_ms     integer,
  untimed    integer not null,     -- 1: a span without start is in it
  sealed_ms  integer not null,     -- when it was sealed, by the clock of this machine
  bytes      integer not null,     -- of all its pieces
  gone       integer not null default 0,  -- 1: replaced or expired, its pieces are still to be deleted
  ids        blob    not null,
  traces_at  blob    not null,
  names      blob    not null,
  links      blob    not null
) strict;

-- Rows of spans, by trace. id = segment * 65536 + number of the page
create table page (id integer primary key, piece blob not null) strict;

-- Texts, tags and endpoints of a segment, 1024 a chunk. id = segment * 65536 + number of the chunk
create table dictionary (id integer primary key, piece blob not null) strict;

-- Which traces have a term. id = bucket * 2^32 + segment, so that what one look-up reads of all segments lies together
create table term (id integer primary key, piece blob not null) strict;

-- The last log that became a segment: a log that is not after it has only not been unlinked yet.
create table sealed (log integer not null) strict;
insert into sealed values (0);
