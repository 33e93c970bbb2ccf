-- Which parcel an event is about: pieces of a shipment, and numbers used again.
alter table parcels
    add column master text not null default '',                        -- the shipment that this parcel is a piece of
    add column ships_from timestamptz not null default '-infinity',    -- what a carrier says of its number before that
    add column ships_to timestamptz not null default 'infinity';       -- or after this is about another parcel
drop index parcels_tracking;
create index parcels_tracking on parcels (tracking, ships_from, bound_at) where tracking <> ''; -- the last window to begin comes first, read backwards
create index parcels_master on parcels (master, ships_from, bound_at) where master <> '';

alter table inbox
    add column piece text not null default '',        -- the box's own number, where tracking is that of a shipment
    add column pieces int not null default 0,         -- how many there are; 0: not said
    add column whole boolean not null default false,  -- said of all of them
    add column unique_id text not null default '',    -- what the carrier tells two uses of a number apart by
    add column delivered_to text not null default ''; -- person, neighbour, locker...
create index inbox_orphan_piece on inbox (piece) where order_id is null and piece <> '';

---- create above / drop below ----

drop index inbox_orphan_piece;
alter table inbox drop column piece, drop column pieces, drop column whole, drop column unique_id, drop column delivered_to;
drop index parcels_tracking, parcels_master;
alter table parcels drop column master, drop column ships_from, drop column ships_to;
create index parcels_tracking on parcels (tracking, bound_at) where tracking <> '';
