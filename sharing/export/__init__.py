"""The data plane, named as a pipe: select, minimise, pack, seal, deliver, erase.

`index` finds the objects of a dataset; `select` (the one part that asks the database) says which of
them consent allows; `minimise` leaves the pixels and drops the rest; `pack` writes shards into a
staging folder; `seal` makes them one signed package; `deliver` hands it over; `verify` is what the
recipient runs; `erase` removes what was staged and never released."""
