-- What is wrong with data or a feed rather than with an order: one row per
-- distinct fault, however many orders it touches.
create table faults (
    id         bigint generated always as identity primary key,
    kind       text not null,            -- unmapped_code, silent_feed, ...
    key        text not null,            -- what tells two faults of a kind apart
    title      text not null,
    sample     text not null default '', -- the latest occurrence, as raw as it may be shown
    owner      text not null default 'ops',
    count      bigint not null,          -- occurrences
    opened_at  timestamptz not null,
    last_at    timestamptz not null,
    closed_at  timestamptz,
    closed_by  text not null default '',
    resolution text not null default ''
);
create unique index faults_open on faults (kind, key) where closed_at is null; -- one open at a time
create index faults_newest on faults (last_at desc, id desc);

---- create above / drop below ----

drop table faults;
