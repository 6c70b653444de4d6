CREATE INDEX piece_blob ON piece (space_id, blob_key) WHERE blob_key IS NOT NULL;
CREATE INDEX chunk_blob ON chunk (space_id, blob_key) WHERE blob_key IS NOT NULL;
