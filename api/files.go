package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/edi214"
	"github.com/waybillhq/waybill/internal/intake"
)

const mediaEDI = "application/edi-x12"

// fileAnswer counts what became of a file's events, and tells what was no event.
type fileAnswer struct {
	intake.Counts
	Faults []carriers.Fault `json:"faults"`
}

// postCarrierFile takes a carrier's file from somebody whom we know. It answers
// after what could be read is durable.
func (s *server) postCarrierFile(c echo.Context) error {
	who := callerOf(c)
	if who.key.Store != "" {
		return forbidden("This key is bound to the store " + who.key.Store + ", and the store of a tracking number is not known here.")
	}
	name, err := param(c, "carrier")
	if err != nil {
		return err
	}
	a, _ := s.carriers.Find(name)
	reader, ok := a.(carriers.FileReader)
	if !ok {
		return notFound("No files of this carrier are read.")
	}
	body, _ := c.Get(bodyKey).([]byte)
	now := s.now()
	n, faults, err := s.intake.File(c.Request().Context(), reader, c.Request().Header.Get(echo.HeaderContentType), body, now)
	if err != nil {
		return err
	}
	s.count(intake.Source(name), n)
	if name == "edi214" && strings.Contains(c.Request().Header.Get(echo.HeaderAccept), mediaEDI) {
		if answer := edi214.AcknowledgeAll(body, control(now), now); len(answer) > 0 {
			return c.Blob(http.StatusOK, mediaEDI, answer)
		}
	}
	if n == (intake.Counts{}) && len(faults) > 0 {
		s.metrics.fact(intake.Source(name), "malformed", 1)
		refused := make([]fieldError, len(faults))
		for i, f := range faults {
			refused[i] = fieldError{f.Where, f.What}
		}
		return invalid(refused...)
	}
	return c.JSON(http.StatusOK, fileAnswer{n, append([]carriers.Fault{}, faults...)})
}

// control is where the control numbers of an answer begin. They count hundredths of a
// second, so that each is new to the partner for 115 days.
func control(now time.Time) int { return int(now.UnixMilli() / 10 % edi214.MaxControl) }
