-- How long parcels stay still, as it was measured, where a policy should say
-- something else. One open proposal for each line that a policy could have; what
-- was decided stays.
create table rhythm_proposals (
    id          bigint generated always as identity primary key,
    policy      text not null,
    carrier     text not null,
    service     text not null,           -- '': any
    lane        text not null,           -- '': any
    n           int not null,            -- parcels that were measured
    p50         interval not null,       -- of the longest time that each stood still,
    p95         interval not null,       -- on the calendar that movement runs on
    current     interval not null,       -- what the policy said
    gap         interval not null,       -- what it should say
    written     boolean not null,        -- a person wrote the line
    orders      int not null,            -- open orders that would move to it
    ending      int not null,            -- waits of theirs that would be over at once
    measured_at timestamptz not null,
    decision    text not null default '',-- '', accepted, declined
    decided_at  timestamptz,
    decided_by  text not null default '',
    reason      text not null default '',
    version     int                      -- of the policy that came of it
);
create unique index rhythm_proposals_open on rhythm_proposals (policy, carrier, service, lane) where decision = '';
create index rhythm_proposals_newest on rhythm_proposals (id desc) where decision <> '';

-- The parcels that arrived last: those that are learned from.
create index parcels_arrived on parcels (since) where milestone in ('delivered', 'returned') and carrier <> '';

---- create above / drop below ----

drop index parcels_arrived;
drop table rhythm_proposals;
