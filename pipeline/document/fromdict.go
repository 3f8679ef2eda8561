package document

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// FromDict reads a document in both forms of to_dict: fields that Document does not have belong to meta. The fields of
// Haystack 1 (content_type, id_hash_keys, dataframe) are dropped. Without an id it gets the computed one.
func FromDict(data *value.Dict) (*Document, error) {
	fields, spread := &value.Dict{}, &value.Dict{}
	for k, v := range data.All() {
		if s, ok := k.(value.Str); ok && isField(string(s)) {
			fields.SetKey(k, v)
		} else {
			spread.SetKey(k, v)
		}
	}
	f := value.ReadFields("Document", fields, fieldNames[:]...)
	if c := f.Get("content"); c != nil && c.Kind() != value.KindStr {
		f.Fail("ValueError", "The `content` field must be a string or None.")
	}
	d := Document{Content: f.OptStr("content"), Meta: f.Dict("meta"), Score: f.OptFloat("score")}
	if id := f.OptStr("id"); id != nil {
		d.ID = *id
	}
	if spread.Len() > 0 {
		d.Meta = d.Meta.Clone()
		for k, v := range spread.All() {
			d.Meta.SetKey(k, v)
		}
	}
	embedding := readParts(f, &d)
	if err := f.Err(); err != nil {
		return nil, err
	}
	if d.ID == "" {
		id, err := d.computeID(embedding)
		if err != nil {
			return nil, err
		}
		d.ID = id
	}
	return &d, nil
}

// readParts reads blob, sparse embedding and embedding, and returns what feeds the embedding to the id.
func readParts(f *value.Fields, d *Document) func(*hasher) {
	var err error
	switch b := f.Get("blob").(type) {
	case nil:
	case *ByteStream:
		d.Blob = b
	case *value.Dict:
		d.Blob, err = BytesFromDict(b)
	default:
		f.Fail("TypeError", "field 'blob' of Document must be a mapping, but is %s", value.TypeName(b))
	}
	f.Note(err)
	err = nil
	switch s := f.Get("sparse_embedding").(type) {
	case nil:
	case *SparseEmbedding:
		d.Sparse = s
	case *value.Dict:
		d.Sparse, err = SparseFromDict(s)
	default:
		f.Fail("TypeError", "field 'sparse_embedding' of Document must be a mapping, but is %s", value.TypeName(s))
	}
	f.Note(err)
	if e := f.Get("embedding"); e != nil {
		d.Embedding = readFloats(f, "embedding", f.List("embedding"))
		return valueRepr(e)
	}
	return floatsRepr(nil)
}

// FromValue returns a document that is already one, or reads a dict.
func FromValue(v value.Value) (*Document, error) {
	switch v := v.(type) {
	case *Document:
		return v, nil
	case *value.Dict:
		return FromDict(v)
	}
	return nil, invalid("TypeError", "a document must be a mapping, but is %s", value.TypeName(v))
}

// List returns a list of documents as a value.
func List(docs []*Document) *value.List {
	out := &value.List{Items: make([]value.Value, len(docs))}
	for i, d := range docs {
		out.Items[i] = d
	}
	return out
}

// FromList reads a list of documents; an item that is neither a document nor the dict of one is an error.
func FromList(v value.Value) ([]*Document, error) {
	var items []value.Value
	switch v := v.(type) {
	case *value.List:
		items = v.Items
	case value.Tuple:
		items = v
	default:
		return nil, invalid("TypeError", "a list of documents is needed, but this is %s", value.TypeName(v))
	}
	out := make([]*Document, len(items))
	for i, it := range items {
		d, err := FromValue(it)
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}
