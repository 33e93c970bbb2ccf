-- What may be asked of carriers: one row per credential, shared by all workers.
create table carrier_budgets (
    credential text primary key,
    calls      timestamptz[] not null default '{}', -- when the last were granted, newest first; as many as the largest window holds
    rest_until timestamptz not null default '-infinity', -- the carrier asked for rest
    open_until timestamptz not null default '-infinity', -- the breaker is open: it failed too often
    failures   int not null default 0,               -- in a row
    granted    boolean not null default true,        -- what the last caller was told
    next_at    timestamptz not null default '-infinity'
);

---- create above / drop below ----

drop table carrier_budgets;
