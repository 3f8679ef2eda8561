package jinja

import (
	"math/big"
	"slices"

	"github.com/haywardhq/hayward/pipeline/value"
)

// byteOrder are the arguments that to_bytes and from_bytes share, after their first.
func byteOrder(got []value.Value, fn string) (little, signed bool, err error) {
	if got[1] != nil {
		order, err := strArg(got[1], fn, "argument 'byteorder'")
		if err != nil {
			return false, false, err
		}
		if order != "big" && order != "little" {
			return false, false, valueErr("byteorder must be either 'little' or 'big'")
		}
		little = order == "little"
	}
	signed, err = truthArg(got[2], false)
	return little, signed, err
}

func toBytes(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := (&cKeywords{name: "to_bytes", params: []string{"length", "byteorder", "signed"}, most: 2}).unpack(a)
	if err != nil {
		return nil, err
	}
	length := 1
	if got[0] != nil {
		if length, err = index(got[0]); err != nil {
			return nil, err
		}
	}
	little, signed, err := byteOrder(got, "to_bytes")
	if err != nil {
		return nil, err
	}
	n, _ := bigInt(self)
	negative := n.Sign() < 0
	bits := n.BitLen()
	if signed && n.Sign() != 0 { // a place for the sign
		bits = new(big.Int).Not(n).BitLen() + 1
		if !negative {
			bits = n.BitLen() + 1
		}
	}
	switch {
	case length < 0:
		return nil, valueErr("length argument must be non-negative")
	case negative && !signed:
		return nil, raise("OverflowError", "can't convert negative int to unsigned")
	case (bits+7)/8 > length && !(length == 0 && n.IsInt64() && n.Int64() == -1): // as CPython has it
		return nil, raise("OverflowError", "int too big to convert")
	}
	if err := r.alloc(length); err != nil {
		return nil, err
	}
	if negative {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*length)))
	}
	if length == 0 {
		return value.Bytes(""), nil
	}
	out := n.FillBytes(make([]byte, length))
	if little {
		slices.Reverse(out)
	}
	return value.Bytes(out), nil
}

func fromBytes(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := (&cKeywords{name: "from_bytes", params: []string{"bytes", "byteorder", "signed"}, required: 1, most: 2}).unpack(a)
	if err != nil {
		return nil, err
	}
	little, signed, err := byteOrder(got, "from_bytes")
	if err != nil {
		return nil, err
	}
	b, err := r.bytesOf(got[0])
	if err != nil {
		return nil, err
	}
	if len(b) > maxIntDigits {
		return nil, unsupported(0, "an int of %d bytes is not supported", len(b))
	}
	if little {
		slices.Reverse(b)
	}
	n := new(big.Int).SetBytes(b)
	if signed && len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if _, ok := self.(value.Bool); ok {
		return value.Bool(n.Sign() != 0), nil
	}
	return intOf(n), nil
}

// bytesOf is PyObject_Bytes: bytes, or an iterable of ints.
func (r *run) bytesOf(v value.Value) ([]byte, error) {
	if b, ok := v.(value.Bytes); ok {
		return []byte(b), r.alloc(len(b))
	}
	items, err := r.items(v)
	if _, text := str(v); text || catchable(err, "TypeError") {
		return nil, typeErr("cannot convert '%s' object to bytes", typeName(v))
	}
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(items))
	for i, x := range items {
		if !isInt(x) {
			return nil, typeErr("'%s' object cannot be interpreted as an integer", typeName(x))
		}
		n, ok := smallInt(x)
		if !ok || n < 0 || n > 255 {
			return nil, valueErr("bytes must be in range(0, 256)")
		}
		out[i] = byte(n)
	}
	return out, r.alloc(len(out))
}
