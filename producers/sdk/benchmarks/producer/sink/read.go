package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A record as it was put; its data is left in base64.
type record struct {
	partitionKey    []byte
	explicitHashKey []byte
	data            []byte
}

// reader goes through JSON once and looks for quotes only: encoding/json looks at each byte several times, which
// costs as much as a fast producer and takes place beside it.
type reader struct {
	body []byte
	at   int
}

// read returns the records of a PutRecords request, or the one of a PutRecord request: pieces of its body.
func read(body []byte) (records []record, err error) {
	defer func() {
		if wrong := recover(); wrong != nil {
			err = fmt.Errorf("no JSON that Kinesis takes: %v", wrong)
		}
	}()
	source := &reader{body: body}
	var alone record
	source.fields(func(name string) {
		if name == "Records" {
			records = source.records()
		} else {
			source.field(name, &alone)
		}
	})
	if alone.data != nil {
		records = append(records, alone)
	}
	return records, nil
}

func (r *reader) records() (records []record) {
	r.expect('[')
	for r.next() != ']' {
		var one record
		r.fields(func(name string) { r.field(name, &one) })
		records = append(records, one)
		if r.next() == ',' {
			r.at++
		}
	}
	r.at++
	return records
}

func (r *reader) field(name string, one *record) {
	switch name {
	case "Data":
		one.data = r.text()
	case "PartitionKey":
		one.partitionKey = r.text()
	case "ExplicitHashKey":
		one.explicitHashKey = r.text()
	default:
		r.skip()
	}
}

// fields goes through an object and calls back at each value, which has to be read then.
func (r *reader) fields(value func(name string)) {
	r.expect('{')
	for r.next() != '}' {
		name := string(r.text())
		r.expect(':')
		r.next()
		value(name)
		if r.next() == ',' {
			r.at++
		}
	}
	r.at++
}

// skip passes over a string, number or word; nothing else stands in the requests that producers make.
func (r *reader) skip() {
	if r.next() == '"' {
		r.text()
		return
	}
	length := bytes.IndexAny(r.body[r.at:], ",}]")
	if length < 1 || r.next() == '{' || r.next() == '[' {
		panic(fmt.Sprintf("unknown value at %d", r.at))
	}
	r.at += length
}

// text reads a string.
func (r *reader) text() []byte {
	r.expect('"')
	start := r.at
	for {
		length := bytes.IndexByte(r.body[r.at:], '"')
		if length < 0 {
			panic("a string without an end")
		}
		r.at += length + 1
		quoted := r.body[start-1 : r.at]
		if !escapes(quoted[:len(quoted)-1]) {
			return plain(quoted)
		}
	}
}

// escapes tells whether a backslash before the next character takes its meaning.
func escapes(before []byte) bool {
	return (len(before)-len(bytes.TrimRight(before, "\\")))%2 == 1
}

func plain(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		panic(err)
	}
	return []byte(text)
}

// next passes over white space and returns what stands there.
func (r *reader) next() byte {
	for bytes.IndexByte([]byte(" \t\r\n"), r.body[r.at]) >= 0 {
		r.at++
	}
	return r.body[r.at]
}

func (r *reader) expect(character byte) {
	if r.next() != character {
		panic(fmt.Sprintf("%q instead of %q at %d", r.body[r.at], character, r.at))
	}
	r.at++
}
