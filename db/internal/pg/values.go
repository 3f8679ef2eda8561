package pg

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Type numbers of the server (pg_type).
const (
	oidBool, oidBytea, oidInt8, oidInt2, oidInt4 = 16, 17, 20, 21, 23
	oidText, oidFloat4, oidFloat8                = 25, 700, 701
	oidTimestamp, oidTimestampTZ, oidNumeric     = 1114, 1184, 1700
)

const (
	textFormat   int16 = 0
	binaryFormat int16 = 1
)

// params are the arguments of one run. Their types come from the Go values, not from what the server would guess: so a
// statement means the same wherever its placeholders stand.
type params struct {
	values  [][]byte
	oids    []uint32
	formats []int16
}

// signature names the types, one byte each: a statement is prepared for each once.
func (p *params) signature() string {
	var b strings.Builder
	for _, oid := range p.oids {
		b.WriteByte(byte(oid % 251))
	}
	return b.String()
}

func encode(args []driver.NamedValue) (*params, error) {
	p := &params{make([][]byte, len(args)), make([]uint32, len(args)), make([]int16, len(args))}
	for i, a := range args {
		if a.Name != "" {
			return nil, fmt.Errorf("argument %d has a name; placeholders here have none", i+1)
		}
		if err := p.set(i, a.Value); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return p, nil
}

func (p *params) set(i int, v driver.Value) error {
	p.formats[i] = binaryFormat
	switch v := v.(type) {
	case nil: // of any type
	case int64:
		p.oids[i], p.values[i] = oidInt8, binary.BigEndian.AppendUint64(nil, uint64(v))
	case bool: // SQLite has no booleans
		n := uint64(0)
		if v {
			n = 1
		}
		p.oids[i], p.values[i] = oidInt8, binary.BigEndian.AppendUint64(nil, n)
	case float64:
		p.oids[i], p.values[i] = oidFloat8, binary.BigEndian.AppendUint64(nil, math.Float64bits(v))
	case string:
		p.oids[i], p.values[i] = oidText, []byte(escapeText(v))
	case []byte:
		if p.oids[i] = oidBytea; v != nil {
			p.values[i] = append(make([]byte, 0, len(v)), v...)
		}
	default:
		return fmt.Errorf("a %T cannot be stored", v)
	}
	return nil
}

// resultFormats asks for binary where that spares work.
func resultFormats(fields []pgconn.FieldDescription) []int16 {
	out := make([]int16, len(fields))
	for i, f := range fields {
		switch f.DataTypeOID {
		case oidBool, oidBytea, oidInt8, oidInt4, oidInt2, oidFloat8:
			out[i] = binaryFormat
		}
	}
	return out
}

// decode returns a column as SQLite would: an integer for a truth, a text for what has no type of its own there.
func decode(f pgconn.FieldDescription, b []byte) (driver.Value, error) {
	if b == nil {
		return nil, nil
	}
	if f.Format == binaryFormat {
		return decodeBinary(f.DataTypeOID, b)
	}
	s := string(b)
	switch f.DataTypeOID {
	case oidBool:
		if s == "t" {
			return int64(1), nil
		}
		return int64(0), nil
	case oidInt2, oidInt4, oidInt8:
		return strconv.ParseInt(s, 10, 64)
	case oidFloat4, oidFloat8:
		return strconv.ParseFloat(s, 64)
	case oidNumeric: // what sum makes of whole numbers
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		return strconv.ParseFloat(s, 64)
	case oidBytea:
		return hex.DecodeString(strings.TrimPrefix(s, `\x`))
	case oidTimestamp:
		return time.Parse("2006-01-02 15:04:05.999999", s)
	case oidTimestampTZ:
		return time.Parse("2006-01-02 15:04:05.999999-07", s)
	}
	return unescapeText(s), nil
}

func decodeBinary(oid uint32, b []byte) (driver.Value, error) {
	switch {
	case oid == oidBytea:
		return append(make([]byte, 0, len(b)), b...), nil
	case oid == oidBool && len(b) == 1:
		return int64(b[0]), nil
	case oid == oidInt8 && len(b) == 8:
		return int64(binary.BigEndian.Uint64(b)), nil
	case oid == oidInt4 && len(b) == 4:
		return int64(int32(binary.BigEndian.Uint32(b))), nil
	case oid == oidInt2 && len(b) == 2:
		return int64(int16(binary.BigEndian.Uint16(b))), nil
	case oid == oidFloat8 && len(b) == 8:
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	}
	return nil, fmt.Errorf("the server sent %d bytes for a value of type %d", len(b), oid)
}
