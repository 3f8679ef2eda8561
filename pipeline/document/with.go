package document

import "github.com/haywardhq/hayward/pipeline/value"

// WithScore returns a copy with the score. Like every With method it keeps the id, as dataclasses.replace does.
func (d *Document) WithScore(score float64) *Document {
	c := *d
	c.Score = &score
	return &c
}

// WithoutScore returns a copy whose score is None.
func (d *Document) WithoutScore() *Document {
	c := *d
	c.Score = nil
	return &c
}

// WithMeta returns a copy with another meta; nil gives an empty one.
func (d *Document) WithMeta(meta *value.Dict) *Document {
	c := *d
	if c.Meta = meta; meta == nil {
		c.Meta = &value.Dict{}
	}
	return &c
}

// WithMetaField returns a copy whose meta has one more field; the meta of d stays as it is.
func (d *Document) WithMetaField(key string, v value.Value) *Document {
	meta := d.Meta.Clone()
	meta.Set(key, v)
	return d.WithMeta(meta)
}

// WithContent returns a copy with another content; nil is None.
func (d *Document) WithContent(content *string) *Document {
	c := *d
	c.Content = content
	return &c
}

// WithEmbedding returns a copy with an embedding; nil is None.
func (d *Document) WithEmbedding(embedding []float64) *Document {
	c := *d
	c.Embedding = embedding
	return &c
}

// WithSparse returns a copy with a sparse embedding; nil is None.
func (d *Document) WithSparse(sparse *SparseEmbedding) *Document {
	c := *d
	c.Sparse = sparse
	return &c
}

// WithBlob returns a copy with other binary data; nil is None.
func (d *Document) WithBlob(blob *ByteStream) *Document {
	c := *d
	c.Blob = blob
	return &c
}

// WithID returns a copy with another id.
func (d *Document) WithID(id string) *Document {
	c := *d
	c.ID = id
	return &c
}
