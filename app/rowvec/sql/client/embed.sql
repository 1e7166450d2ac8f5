-- Purpose: the vector of a query, as an array. Locks: none. Called by: Client.embed.
SELECT rowvec.embed(%(query)s::text, source => %(source)s::text, model => %(model)s::text)::float4[]
