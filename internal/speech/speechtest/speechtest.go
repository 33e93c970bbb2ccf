// Package speechtest is what every table of lines must hold.
package speechtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/speech"
)

// Complete fails where a line says nothing in one language and something in another,
// where languages fill in different words, or where spaces are stray.
func Complete(t testing.TB, name string, l speech.Line) {
	t.Helper()
	english := speech.Tongues()[0]
	want := sorted(english.Pick(l))
	for _, tongue := range speech.Tongues() {
		text := tongue.Pick(l)
		if (text == "") != (english.Pick(l) == "") {
			t.Errorf("%s: nothing in %s", name, tongue.Tag())
		}
		if got := sorted(text); !slices.Equal(got, want) {
			t.Errorf("%s: %v in %s, %v in en", name, got, tongue.Tag(), want)
		}
		if strings.Contains(text, "  ") || strings.TrimSpace(text) != text {
			t.Errorf("%s: space in %s", name, tongue.Tag())
		}
	}
}

func sorted(text string) []string {
	words := speech.Unfilled(text)
	slices.Sort(words)
	return words
}
