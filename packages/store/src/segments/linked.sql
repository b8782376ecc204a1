-- What the traces of a segment come to as links, with those that it shares with other segments: derived from them, kept so that
-- the first dependencies after a start need not read these traces again. linked-segment.ts has the layout, and says when it holds.
create table if not exists linked (segment integer primary key, piece blob not null) strict;
