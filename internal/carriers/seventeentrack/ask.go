package seventeentrack

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// batch is how many numbers one request may carry.
const batch = 40

// alreadyRegistered is a rejection that is none.
const alreadyRegistered = -18019901

// APIs is the one interface. A number must be registered before it can be asked for.
func (Adapter) APIs() []carriers.API {
	return []carriers.API{{
		Name: "v2.2", BaseURL: "https://api.17track.net",
		Budget: []carriers.Window{{Calls: 3, Per: time.Second}},
		Track:  askTrack, Batch: batch,
		// Stops after 30 days of silence. What happened before comes with the first push.
		Subscribe: askPushes, SubscribeBatch: batch, SubscribedFor: 30 * 24 * time.Hour, Backfills: true, Rejected: rejected,
		Reasons: map[string]carriers.Reason{
			"-18010001": carriers.Unauthorized, "-18010002": carriers.Unauthorized, "-18010004": carriers.Unauthorized,
			"-18010003": carriers.Unavailable,
			"-18010010": carriers.BadRequest, "-18010011": carriers.BadRequest, "-18010012": carriers.BadRequest, "-18010013": carriers.BadRequest, "-18010014": carriers.BadRequest,
			"-18019902": carriers.NotFound, "-18019909": carriers.NotFound, "-18019903": carriers.BadRequest,
			"-18019907": carriers.Limited, "-18019908": carriers.Limited,
		},
	}}
}

func askTrack(q carriers.Question) (*http.Request, error) { return post(q, "gettrackinfo") }

func askPushes(q carriers.Question) (*http.Request, error) { return post(q, "register") }

func post(q carriers.Question, what string) (*http.Request, error) {
	if err := q.Check(batch); err != nil {
		return nil, err
	}
	list := make([]map[string]string, len(q.Numbers))
	for i, n := range q.Numbers {
		list[i] = map[string]string{"number": n}
	}
	r, err := carriers.Post(q.BaseURL+"/track/v2.2/"+what, list)
	if err != nil {
		return nil, err
	}
	r.Header.Set("17token", string(q.Key))
	return r, nil
}

func rejected(body []byte) []string {
	var a struct {
		Data struct {
			Rejected []struct {
				Number string `json:"number"`
				Error  struct {
					Code int `json:"code"`
				} `json:"error"`
			} `json:"rejected"`
		} `json:"data"`
	}
	_ = json.Unmarshal(body, &a)
	var numbers []string
	for _, r := range a.Data.Rejected {
		if r.Error.Code != alreadyRegistered {
			numbers = append(numbers, r.Number)
		}
	}
	return numbers
}
