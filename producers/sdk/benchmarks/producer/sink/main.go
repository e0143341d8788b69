// A Kinesis that takes everything at once and keeps what it was given, so that somebody else can say afterwards
// what consumers would get. Compiled, as it shares two cores with whoever is measured; its own work is not.
//
//	sink PORT [CERTIFICATE KEY]
//
// GET /taken gives what arrived since the last time: a line for each Kinesis record with the number of its shard,
// its partition key and its data in base64, the key quoted as JSON.
package main

import (
	"bufio"
	"crypto/md5"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

const (
	shardBits = 3
	shards    = 1 << shardBits
)

type taken struct {
	shard int
	key   []byte
	data  []byte
}

type stream struct {
	mutex  sync.Mutex
	taken  []taken
	number uint64
}

// shardOf returns the shard that a record's hash key leads to: the shards are equal parts of the hash space.
func shardOf(one record) (int, error) {
	if one.explicitHashKey == nil {
		return int(md5.Sum(one.partitionKey)[0] >> (8 - shardBits)), nil
	}
	hash, ok := new(big.Int).SetString(string(one.explicitHashKey), 10)
	if !ok {
		return 0, fmt.Errorf("explicit hash key %q", one.explicitHashKey)
	}
	return int(hash.Rsh(hash, 128-shardBits).Int64()), nil
}

// put keeps records and writes the result of each, with a sequence number as long as Kinesis gives them.
func (s *stream) put(body []byte, answer *strings.Builder) error {
	records, err := read(body)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for index, one := range records {
		shard, err := shardOf(one)
		if err != nil {
			return err
		}
		s.number++
		s.taken = append(s.taken, taken{shard, one.partitionKey, one.data})
		if index > 0 {
			answer.WriteByte(',')
		}
		fmt.Fprintf(answer, `{"SequenceNumber":"495434630765703083223033263261798%023d","ShardId":"shardId-%012d"}`,
			s.number, shard)
	}
	return nil
}

func (s *stream) answer(operation string, body []byte) (string, error) {
	var answer strings.Builder
	switch operation {
	case "PutRecords":
		answer.WriteString(`{"FailedRecordCount":0,"Records":[`)
		if err := s.put(body, &answer); err != nil {
			return "", err
		}
		answer.WriteString(`]}`)
	case "PutRecord":
		if err := s.put(body, &answer); err != nil {
			return "", err
		}
	case "ListShards":
		fmt.Fprintf(&answer, `{"Shards":[%s]}`, described())
	case "DescribeStream", "DescribeStreamSummary":
		about := `"StreamName":"orders","StreamARN":"arn:aws:kinesis:us-east-1:123456789012:stream/orders",` +
			`"StreamStatus":"ACTIVE","RetentionPeriodHours":24,"StreamCreationTimestamp":1700000000,` +
			`"EnhancedMonitoring":[]`
		fmt.Fprintf(&answer, `{"StreamDescriptionSummary":{%s,"OpenShardCount":%d},`, about, shards)
		fmt.Fprintf(&answer, `"StreamDescription":{%s,"HasMoreShards":false,"Shards":[%s]}}`, about, described())
	default:
		return "", fmt.Errorf("operation %s", operation)
	}
	return answer.String(), nil
}

func described() string {
	var all []string
	for number := int64(0); number < shards; number++ {
		start := new(big.Int).Lsh(big.NewInt(number), 128-shardBits)
		end := new(big.Int).Lsh(big.NewInt(number+1), 128-shardBits)
		end.Sub(end, big.NewInt(1))
		all = append(all, fmt.Sprintf(`{"ShardId":"shardId-%012d",`+
			`"HashKeyRange":{"StartingHashKey":"%s","EndingHashKey":"%s"},`+
			`"SequenceNumberRange":{"StartingSequenceNumber":"1"}}`, number, start, end))
	}
	return strings.Join(all, ",")
}

func (s *stream) ServeHTTP(writer http.ResponseWriter, asked *http.Request) {
	if asked.URL.Path == "/taken" {
		s.tell(writer)
		return
	}
	body, err := whole(asked)
	if err == nil {
		target := asked.Header.Get("X-Amz-Target")
		var answer string
		if answer, err = s.answer(target[strings.LastIndex(target, ".")+1:], body); err == nil {
			writer.Header().Set("Content-Type", "application/x-amz-json-1.1")
			writer.Header().Set("x-amzn-RequestId", "1")
			_, err = io.WriteString(writer, answer)
		}
	}
	if err != nil {
		log.Fatal(err) // a producer that is not understood cannot be measured
	}
}

// whole reads a body; into one piece of memory if its length is known.
func whole(asked *http.Request) ([]byte, error) {
	if asked.ContentLength < 0 {
		return io.ReadAll(asked.Body)
	}
	body := make([]byte, asked.ContentLength)
	_, err := io.ReadFull(asked.Body, body)
	return body, err
}

func (s *stream) tell(writer io.Writer) {
	s.mutex.Lock()
	all := s.taken
	s.taken = nil
	s.mutex.Unlock()
	lines := bufio.NewWriter(writer)
	defer lines.Flush()
	for _, one := range all {
		key, _ := json.Marshal(string(one.key))
		fmt.Fprintf(lines, "%d\t%s\t%s\n", one.shard, key, one.data)
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("READY")
	server := &http.Server{
		Handler: &stream{},
		// HTTP/1.1 only, as Kinesis speaks it to all of these producers.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	if len(os.Args) > 2 {
		log.Fatal(server.ServeTLS(listener, os.Args[2], os.Args[3]))
	}
	log.Fatal(server.Serve(listener))
}
