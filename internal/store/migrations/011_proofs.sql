-- What a carrier says beside an event and that moves nothing: the appointment of
-- freight, which proofs it holds. Null: nothing, like nearly always.
alter table inbox add column aside jsonb;

-- Personal data, beside contacts and addresses. Who signed, as it was told with
-- an event: found by the event's own key, so that no history ever sees it, and
-- through the inbox by the order.
create table signers (
    source      text not null,
    event_id    text not null,
    signed_by   text not null default '',
    photo       text not null default '', -- the carrier's own reference or address
    received_at timestamptz not null default now(),
    primary key (source, event_id)
);

-- What carriers proved when they were asked. It goes with its order.
create table proofs (
    order_id   text not null references orders on delete cascade,
    id         text not null,            -- the order's own name for it
    parcel_id  text not null,
    carrier    text not null,
    fetched_at timestamptz not null default now(),
    signed_by  text not null default '',
    primary key (order_id, id)
);
create table proof_documents (
    order_id   text not null,
    proof_id   text not null,
    n          int  not null,            -- from 1
    kind       text not null,            -- signature, photo, document
    media_type text not null,
    body       bytea not null,
    primary key (order_id, proof_id, n),
    foreign key (order_id, proof_id) references proofs on delete cascade
);

---- create above / drop below ----

drop table proof_documents, proofs, signers;
alter table inbox drop column aside;
