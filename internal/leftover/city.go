package leftover

import "math"

// city is where sites stand: by latitude and longitude in degrees, with a weight for how many.
type city struct {
	name      string
	lat, long float64
	weight    int
}

func cities() []city {
	return []city{
		{"Ashburn", 39.0, -77.5, 12},
		{"Frankfurt", 50.1, 8.7, 6},
		{"Portland", 45.5, -122.7, 10},
		{"London", 51.5, -0.1, 5},
		{"Singapore", 1.3, 103.8, 5},
		{"Tokyo", 35.7, 139.7, 6},
		{"Columbus", 40.0, -83.0, 8},
		{"Amsterdam", 52.4, 4.9, 4},
		{"Paris", 48.9, 2.4, 4},
		{"Seoul", 37.6, 127.0, 5},
		{"Montreal", 45.5, -73.6, 4},
		{"Mumbai", 19.1, 72.9, 5},
		{"Sydney", -33.9, 151.2, 3},
		{"Dublin", 53.3, -6.3, 2},
		{"Taipei", 25.0, 121.6, 3},
		{"Stockholm", 59.3, 18.1, 2},
		{"Helsinki", 60.2, 24.9, 2},
		{"Warsaw", 52.2, 21.0, 2},
		{"Kuala Lumpur", 3.1, 101.7, 2},
		{"Jakarta", -6.2, 106.8, 2},
		{"Sao Paulo", -23.6, -46.6, 2},
		{"Auckland", -36.8, 174.8, 1},
	}
}

// way is the way between two cities in km, along the great circle, rounded to 10.
func way(a, b int) int {
	if a == b {
		return 0
	}
	c := cities()
	rad := math.Pi / 180
	p, q := c[a], c[b]
	h := math.Pow(math.Sin((p.lat-q.lat)*rad/2), 2) + math.Cos(p.lat*rad)*math.Cos(q.lat*rad)*math.Pow(math.Sin((p.long-q.long)*rad/2), 2)
	return int(math.Round(2*6371*math.Asin(math.Sqrt(h))/10)) * 10
}
