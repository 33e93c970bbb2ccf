-- What people say that a carrier's code means. Versions are added and never
-- changed; the highest of a code holds, and kind 'withdrawn' gives the built-in
-- reading back.
create table code_mappings (
    id         bigint generated always as identity primary key, -- commits in order: the highest is the version of the whole table
    carrier    text not null,            -- as the adapter is named
    code_table text not null,            -- without spaces
    code       text not null,
    version    int  not null,
    kind       text not null,            -- label, transit, ...: the vocabulary of the code tables; withdrawn
    bucket     text not null default '',
    milestone  text not null default '', -- what kind and bucket mean to an order
    physical   boolean not null default false,
    unmapped   boolean not null default false, -- withdrawn, and in no table of ours
    reason     text not null,
    actor      text not null,
    created_at timestamptz not null default now(),
    unique (carrier, code_table, code, version)
);

-- By which version of its code's mapping a fact was read; 0: by none, and no
-- table has it. Null: by our own table, like nearly all.
alter table inbox add column mapping int;
create index inbox_mapping on inbox (source, code, mapping) where mapping is not null;

-- What verified sources sent, byte for byte, so that nothing accepted is lost to
-- a parser's mistake. Personal data may stand in it: rows are kept for a limited
-- time, and read by few.
create table raw_bodies (
    id           bigint generated always as identity primary key,
    received_at  timestamptz not null default now(),
    source       text not null,          -- carrier:ups
    via          text not null,          -- webhook
    content_type text not null,
    sha256       bytea not null,
    body         bytea not null,
    events       int not null,           -- read from it
    rejected     int not null,           -- of those, with no time or number that could be true
    unmapped     int not null,           -- of those, with a code that is in no table
    error        text not null,          -- why it could not be read; empty: it could
    replayed_at  timestamptz             -- when it was read last, if again
);
create unique index raw_bodies_once on raw_bodies (source, sha256);             -- a retry is kept once
create index raw_bodies_newest on raw_bodies (received_at desc, id desc);       -- lists, and the purge
create index raw_bodies_failed on raw_bodies (received_at desc, id desc) where error <> '' or rejected > 0;
-- lz4 is several times faster than the default. Some builds do not have it.
do $$ begin
    alter table raw_bodies alter column body set compression lz4;
exception when feature_not_supported then null;
end $$;

-- Acts that are no order's leave audit.order_id empty. What came of an act is
-- written once; after that the row is history, and so is a mapping from the
-- beginning.
create function is_history() returns trigger language plpgsql as $$ begin
    raise exception '% is history: rows are neither changed nor deleted', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger audit_ended before update on audit for each row when (old.outcome <> '') execute function is_history();
create trigger audit_kept before delete on audit for each row execute function is_history();
create trigger audit_kept_whole before truncate on audit execute function is_history();
create trigger code_mappings_kept_whole before truncate on code_mappings execute function is_history();
create trigger code_mappings_kept before update or delete on code_mappings for each row execute function is_history();

---- create above / drop below ----

drop trigger audit_ended on audit;
drop trigger audit_kept on audit;
drop trigger audit_kept_whole on audit;
drop table raw_bodies, code_mappings;
drop function is_history;
drop index inbox_mapping;
alter table inbox drop column mapping;
