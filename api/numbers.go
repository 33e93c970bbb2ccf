package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/numbers"
)

func (s *server) detectCarriers(c echo.Context) error {
	text, err := param(c, "number")
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Number   string          `json:"number"`
		Matches  []numbers.Match `json:"matches"`
		Mistyped []numbers.Match `json:"mistyped"`
	}{carriers.Number(text), numbers.Detect(text), numbers.Mistyped(text)})
}

// doubt adds what speaks against a parcel's number being its carrier's. The
// carrier is believed all the same: a check digit is wrong once in ten by chance
// and no list of forms is complete.
func doubt(warnings []fieldError, field, carrier, tracking string) []fieldError {
	if d := numbers.Doubt(carrier, tracking); d != "" {
		warnings = append(warnings, fieldError{field, d})
	}
	return warnings
}

// offerCarriers completes a refusal that asks for a carrier with those whose
// number it can be. Not even a single one is taken without being named: a check
// digit passes by chance. unnamed holds the numbers by the field that is asked for.
func offerCarriers(err error, unnamed map[string]string) error {
	rs := refusals(err, nil)
	for i, r := range rs {
		tracking := unnamed[r.Field]
		if tracking == "" {
			continue
		}
		if found := numbers.Detect(tracking); len(found) > 0 {
			rs[i].Reason += ": name one; " + tracking + " can be of " + numbers.Names(found)
		} else {
			rs[i].Reason += ": name one; no form that is known fits " + tracking
		}
	}
	if len(rs) == 0 {
		return err
	}
	return refused(rs)
}
