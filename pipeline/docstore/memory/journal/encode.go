package journal

import (
	"encoding/base64"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// JSON has no tuples, bytes, sets or dates, and meta may hold them. Each is written as a mapping with one key of these.
const (
	tagTuple = "$tuple"
	tagSet   = "$set"
	tagBytes = "$bytes"
	tagDate  = "$date"
	tagTime  = "$datetime" // aware, with its offset
	tagNaive = "$datetime_naive"
	tagDict  = "$dict" // pairs: a dict whose keys are not all strings, or that looks like one of these
)

// encode writes a document as JSON that [decode] reads back to an equal one, whatever its meta holds.
func encode(d *document.Document) ([]byte, error) {
	fields := d.PlainDict()
	if d.Blob != nil {
		blob := d.Blob.ToDict()
		blob.Set("data", value.Bytes(d.Blob.Data))
		fields.Set("blob", blob)
	}
	out, err := pack(fields)
	if err != nil {
		return nil, err
	}
	text, err := value.ToJSON(out, value.JSONOptions{})
	return []byte(text), err
}

func decode(data []byte) (*document.Document, error) {
	v, err := value.FromJSON(data)
	if err != nil {
		return nil, err
	}
	if v, err = unpack(v); err != nil {
		return nil, err
	}
	return document.FromValue(v)
}

func tag(name string, v value.Value) value.Value { return value.NewDict(name, v) }

// pack replaces what JSON cannot hold.
func pack(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case *value.List:
		return packItems(v.Items)
	case value.Tuple:
		items, err := packItems(v)
		return tag(tagTuple, items), err
	case *value.Set:
		items, err := packItems(v.Items())
		return tag(tagSet, items), err
	case value.Bytes:
		return tag(tagBytes, value.Str(base64.StdEncoding.EncodeToString([]byte(v)))), nil
	case value.Date:
		return tag(tagDate, value.Str(v.ISO())), nil
	case value.DateTime:
		if v.Aware {
			return tag(tagTime, value.Str(v.Time.Format(time.RFC3339Nano))), nil
		}
		return tag(tagNaive, value.Str(v.Time.UTC().Format(time.RFC3339Nano))), nil
	case *value.Dict:
		return packDict(v)
	case value.Object:
		return nil, fault.New(fault.Invalid, "a document's meta holds a %s, which cannot be stored", value.TypeName(v)).
			WithHint("keep texts, numbers, lists and mappings in meta")
	}
	return v, nil
}

func packItems(items []value.Value) (*value.List, error) {
	out := &value.List{Items: make([]value.Value, len(items))}
	for i, it := range items {
		var err error
		if out.Items[i], err = pack(it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func packDict(d *value.Dict) (value.Value, error) {
	out, plain := &value.Dict{}, true
	pairs := &value.List{}
	for k, v := range d.All() {
		key, err := pack(k)
		if err != nil {
			return nil, err
		}
		val, err := pack(v)
		if err != nil {
			return nil, err
		}
		pairs.Items = append(pairs.Items, value.NewList(key, val))
		s, ok := k.(value.Str)
		if plain = plain && ok && !(len(s) > 0 && s[0] == '$'); plain {
			out.Set(string(s), val)
		}
	}
	if !plain {
		return tag(tagDict, pairs), nil
	}
	return out, nil
}

func unpack(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case *value.List:
		return unpackItems(v.Items)
	case *value.Dict:
		if v.Len() == 1 {
			for k, arg := range v.Strings() {
				if len(k) > 0 && k[0] == '$' {
					return untag(k, arg)
				}
			}
		}
		out := &value.Dict{}
		for k, it := range v.All() {
			u, err := unpack(it)
			if err != nil {
				return nil, err
			}
			out.SetKey(k, u)
		}
		return out, nil
	}
	return v, nil
}

func unpackItems(items []value.Value) (*value.List, error) {
	out := &value.List{Items: make([]value.Value, len(items))}
	for i, it := range items {
		var err error
		if out.Items[i], err = unpack(it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func untag(name string, arg value.Value) (value.Value, error) {
	text, _ := arg.(value.Str)
	switch name {
	case tagBytes:
		data, err := base64.StdEncoding.DecodeString(string(text))
		return value.Bytes(data), err
	case tagDate:
		t, err := time.Parse(time.DateOnly, string(text))
		return value.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}, err
	case tagTime, tagNaive:
		t, err := time.Parse(time.RFC3339Nano, string(text))
		return value.DateTime{Time: t, Aware: name == tagTime}, err
	}
	list, ok := arg.(*value.List)
	if !ok {
		return nil, fault.New(fault.Internal, "a stored document holds an unknown %s", name)
	}
	items, err := unpackItems(list.Items)
	if err != nil {
		return nil, err
	}
	switch name {
	case tagTuple:
		return value.Tuple(items.Items), nil
	case tagSet:
		set, _ := value.NewSet(items.Items...)
		return set, nil
	case tagDict:
		out := &value.Dict{}
		for _, it := range items.Items {
			if pair, ok := it.(*value.List); ok && len(pair.Items) == 2 {
				out.SetKey(pair.Items[0], pair.Items[1])
			}
		}
		return out, nil
	}
	return nil, fault.New(fault.Internal, "a stored document holds an unknown %s", name)
}
