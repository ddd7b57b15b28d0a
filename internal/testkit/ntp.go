package testkit

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TimeServer is a time server on loopback that answers as RFC 5905 section 7.3 has
// it, until the test ends.
type TimeServer struct {
	// Address is its host:port.
	Address string
	// Asked counts the requests.
	Asked atomic.Int64
	ahead atomic.Int64
	kiss  atomic.Value
}

// NewTimeServer starts one whose clock is ahead of this machine's.
func NewTimeServer(t testing.TB, ahead time.Duration) *TimeServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	s := &TimeServer{Address: conn.LocalAddr().String()}
	s.Set(ahead)
	s.Kiss("")
	go func() {
		request := make([]byte, 1024)
		for {
			n, from, err := conn.ReadFrom(request)
			if err != nil {
				return // closed
			}
			if s.Asked.Add(1); n >= 48 && request[0]&7 == 3 {
				_, _ = conn.WriteTo(s.answer(request), from)
			}
		}
	}()
	return s
}

// Set makes its clock so much ahead of this machine's.
func (s *TimeServer) Set(ahead time.Duration) { s.ahead.Store(int64(ahead)) }

// Kiss makes it answer with a kiss of death, like RATE; "" with the time.
func (s *TimeServer) Kiss(code string) { s.kiss.Store(code) }

func (s *TimeServer) answer(request []byte) []byte {
	now := time.Now().Add(time.Duration(s.ahead.Load()))
	const since1900 = 2_208_988_800 // 1970
	stamp := func(at time.Time) uint64 {
		return uint64(at.Unix()+since1900)<<32 | uint64(at.Nanosecond())<<32/1e9
	}
	b := make([]byte, 48)
	b[0] = 4<<3 | 4 // version 4, a server's answer
	b[1] = 2        // stratum
	b[3] = 0xec     // precision, 2^-20 s
	copy(b[12:], "TEST")
	if kiss := s.kiss.Load().(string); kiss != "" {
		b[0] |= 3 << 6 // not synchronized
		b[1] = 0
		copy(b[12:], kiss)
	}
	binary.BigEndian.PutUint64(b[16:], stamp(now.Add(-time.Minute))) // reference
	copy(b[24:32], request[40:48])                                   // origin: what it was sent with
	binary.BigEndian.PutUint64(b[32:], stamp(now))
	binary.BigEndian.PutUint64(b[40:], stamp(now))
	return b
}
