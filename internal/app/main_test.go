package app

import (
	"testing"

	"github.com/waybillhq/waybill/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
