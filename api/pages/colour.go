package pages

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

const defaultColour = "#1f4f8f"

var hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func colourOr(c, otherwise string) string {
	if hexColour.MatchString(c) {
		return c
	}
	return otherwise
}

type rgb [3]float64

func parseColour(c string) rgb {
	n, _ := strconv.ParseUint(c[1:], 16, 32)
	return rgb{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}
}

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])), int(math.Round(c[2])))
}

// luminance and contrast are those of WCAG 2.
func (c rgb) luminance() float64 {
	var l [3]float64
	for i, v := range c {
		v /= 255
		if v <= 0.04045 {
			l[i] = v / 12.92
		} else {
			l[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2]
}

func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// readable moves a colour towards another until it can be read on a ground. On
// the way it keeps a hue that grey would swallow.
func readable(c, on, towards rgb) rgb {
	hue := vivid(c)
	for f := 0.0; f < 1; f += 0.05 {
		m := rgb{}
		for i := range m {
			from := c[i] + (hue[i]-c[i])*min(1, 2*f)
			m[i] = math.Round(from + (towards[i]-from)*f)
		}
		if contrast(m, on) >= 4.6 {
			return m
		}
	}
	return towards
}

// vivid is the colour at full strength; greys stay as they are.
func vivid(c rgb) rgb {
	lo, hi := min(c[0], c[1], c[2]), max(c[0], c[1], c[2])
	if hi-lo < 24 {
		return c
	}
	for i := range c {
		c[i] = 40 + (c[i]-lo)/(hi-lo)*180
	}
	return c
}

var (
	white     = rgb{255, 255, 255}
	black     = rgb{0, 0, 0}
	lightSide = rgb{243, 244, 246} // the darkest ground that accents stand on, light
	darkSide  = rgb{29, 32, 38}    // and the lightest, dark
)

// palette turns one merchant's colour into text and accents that stay readable
// whatever the colour is: yellow on white included.
func palette(colour string) string {
	c := parseColour(colour)
	on := white
	if contrast(c, white) < contrast(c, black) {
		on = black
	}
	return fmt.Sprintf(":root{--brand:%s;--on-brand:%s;--accent:%s;--on-accent:#ffffff}\n"+
		"@media (prefers-color-scheme:dark){:root{--accent:%s;--on-accent:#111317}}\n",
		c, on, readable(c, lightSide, black), readable(c, darkSide, white))
}
