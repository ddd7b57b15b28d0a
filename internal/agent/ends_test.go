package agent

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBest_isTheLastThatASystemCouldHave(t *testing.T) {
	const now = -1 // updates still come
	tried := map[end]bool{}
	for _, tt := range []struct {
		family, system, version string
		want                    int
	}{
		{"Chrome", "Windows", "XP", 49}, {"Chrome", "Windows", "Vista", 49},
		{"Chrome", "Windows", "7", 109}, {"Chrome", "Windows", "8", 109}, {"Chrome", "Windows", "8.1", 109},
		{"Chrome", "Windows", "10", now}, {"Chrome", "Windows", "11", now}, {"Chrome", "Windows", "", now},
		{"Chrome", "macOS", "10.6", 49}, {"Chrome", "macOS", "10.8", 49}, {"Chrome", "macOS", "10.9", 67}, {"Chrome", "macOS", "10.10", 87},
		{"Chrome", "macOS", "10.11", 103}, {"Chrome", "macOS", "10.12", 103}, {"Chrome", "macOS", "10.13", 116}, {"Chrome", "macOS", "10.14", 116},
		{"Chrome", "macOS", "10.15", 128}, {"Chrome", "macOS", "11.7", 138}, {"Chrome", "macOS", "12.6", 150}, {"Chrome", "macOS", "13.0", now}, {"Chrome", "macOS", "", now},
		{"Chrome", "Android", "4.4", 81}, {"Chrome", "Android", "5.1", 95}, {"Chrome", "Android", "6.0", 106}, {"Chrome", "Android", "7.0", 119},
		{"Chrome", "Android", "8.1", 138}, {"Chrome", "Android", "9.0", 138}, {"Chrome", "Android", "10.0", now},
		{"Chrome", "Linux", "", now},

		{"Edge", "Windows", "7", 109}, {"Edge", "Windows", "8.1", 109}, {"Edge", "Windows", "10", now},
		{"Edge", "macOS", "10.15", 0}, {"Opera", "Windows", "7", 0}, {"Opera", "Windows", "10", now},
		{"Samsung Internet", "Android", "7.0", 0}, {"Samsung Internet", "Android", "13.0", now}, {"Opera Mobile", "Android", "", now},

		{"Firefox", "Windows", "XP", 52}, {"Firefox", "Windows", "Vista", 52}, {"Firefox", "Windows", "7", 115}, {"Firefox", "Windows", "8.1", 115}, {"Firefox", "Windows", "10", now},
		{"Firefox", "macOS", "10.6", 48}, {"Firefox", "macOS", "10.8", 48}, {"Firefox", "macOS", "10.9", 78}, {"Firefox", "macOS", "10.11", 78},
		{"Firefox", "macOS", "10.12", 115}, {"Firefox", "macOS", "10.14", 115}, {"Firefox", "macOS", "10.15", now},
		{"Firefox", "Android", "4.4", 68}, {"Firefox", "Android", "5.0", 143}, {"Firefox", "Android", "7.1", 143}, {"Firefox", "Android", "8.0", now},

		{"Safari", "macOS", "10.9", 9}, {"Safari", "macOS", "10.10", 10}, {"Safari", "macOS", "10.11", 11}, {"Safari", "macOS", "10.12", 12},
		{"Safari", "macOS", "10.13", 13}, {"Safari", "macOS", "10.14", 14}, {"Safari", "macOS", "10.15", 15}, {"Safari", "macOS", "11.7", 16},
		{"Safari", "macOS", "12.7", 17}, {"Safari", "macOS", "13.6", 18}, {"Safari", "macOS", "14.8", 26}, {"Safari", "macOS", "15.0", now}, {"Safari", "macOS", "", 0},
		{"Safari", "iOS", "15.8", 0}, {"Safari", "Linux", "", 0}, {"Safari", "Windows", "7", 0},

		{"IE", "Windows", "7", 11}, {"IE", "Windows", "10", 11}, {"IE", "Windows", "", 11},
		{"Chrome", "Firefox OS", "", 0}, {"Firefox", "ChromeOS", "", 0}, {"Netscape", "Windows", "XP", 0},
	} {
		want := tt.want
		if want == now {
			want = newest(tt.family)
		}
		major, final := best(tt.family, tt.system, tt.version)
		assert.Equal(t, want, major, "%s on %s %s", tt.family, tt.system, tt.version)
		assert.Equal(t, tt.want > 0, final, "%s on %s %s", tt.family, tt.system, tt.version)
		for _, e := range ends {
			if e.family == tt.family && e.system == tt.system && e.last == major {
				tried[e] = true
			}
		}
	}
	for _, e := range ends {
		assert.True(t, tried[e], "no case is about %+v", e)
	}
}

func TestEnds_growWithTheSystem(t *testing.T) {
	before := map[string]end{}
	for _, e := range ends {
		key := e.family + e.system
		if b, ok := before[key]; ok {
			assert.Greater(t, e.last, b.last, "%+v", e)
			assert.Greater(t, systemNumber(e.system, e.needs), systemNumber(b.system, b.needs), "%+v", e)
		}
		before[key] = e
		assert.NotEmpty(t, released(e.family, e.last), "%+v", e)
		assert.Contains(t, available[e.system], e.family)
	}
}
