-- A key that is bound to a store tells of its own parcels only, whatever number
-- they go by: also when the parcel appears later.
alter table inbox add column only_store text not null default ''; -- the fact is about a parcel of this store, or of none

-- The private link of an order's buyer that is in force; those before it have ended.
alter table contacts add column link int not null default 0;

---- create above / drop below ----

alter table contacts drop column link;
alter table inbox drop column only_store;
