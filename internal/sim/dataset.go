package sim

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The files of the data set.
const (
	ordersFile     = "olist_orders_2017_10k.csv.gz"
	customersFile  = "olist_customers_2017_10k.csv.gz"
	itemsFile      = "olist_order_items_2017_10k.csv.gz"
	productsFile   = "olist_products_dataset.csv.gz"
	sellersFile    = "olist_sellers_dataset.csv.gz"
	categoriesFile = "product_category_name_translation.csv.gz"
)

// ErrNoData says that the data set is not where it was looked for.
var ErrNoData = errors.New("the Olist data set is not there")

// Sale is one order of the data set. Times are its own wall-clock times, read
// as UTC; zero where the data set is silent.
type Sale struct {
	ID        string // 32 hex digits
	Status    string
	Purchase  time.Time
	Approved  time.Time
	Carrier   time.Time // handed to the carrier
	Delivered time.Time
	// Estimated is the promised day, at midnight: on time means by its end.
	Estimated time.Time
	Customer  Customer
	Items     []Item
}

// Customer is as anonymous as the data set has it.
type Customer struct {
	Ref, City, State, Zip string
}

// Item is one unit that was bought.
type Item struct {
	Product, Category       string
	Seller                  string
	SellerCity, SellerState string
	Cents                   int64
}

// LateInItsOwnTerms: delivered on a day after the promised one.
func (s Sale) LateInItsOwnTerms() bool {
	return !s.Delivered.IsZero() && s.Delivered.Format(time.DateOnly) > s.Estimated.Format(time.DateOnly)
}

// LoadOlist reads limit orders in file order, after leaving out offset of them.
// A limit of 0 means all.
func LoadOlist(dir string, offset, limit int) ([]Sale, error) {
	if _, err := os.Stat(filepath.Join(dir, ordersFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no %s in %s; point --dir at the folder that holds it", ErrNoData, ordersFile, dir)
	}
	var sales []Sale
	index := map[string]int{}      // order → place in sales
	customerOf := map[string]int{} // customer → place in sales
	row := 0
	err := eachRow(dir, ordersFile, func(get func(string) string) error {
		if row++; row <= offset {
			return nil
		}
		if limit > 0 && len(sales) == limit {
			return io.EOF
		}
		s := Sale{ID: get("order_id"), Status: get("order_status")}
		var errs []error
		at := func(column string) time.Time {
			t, err := parseTime(get(column))
			errs = append(errs, err)
			return t
		}
		s.Purchase, s.Approved = at("order_purchase_timestamp"), at("order_approved_at")
		s.Carrier, s.Delivered = at("order_delivered_carrier_date"), at("order_delivered_customer_date")
		s.Estimated = at("order_estimated_delivery_date")
		if s.Purchase.IsZero() || s.Estimated.IsZero() {
			errs = append(errs, errors.New("no purchase time or promised day"))
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("order %s: %w", s.ID, err)
		}
		index[s.ID], customerOf[get("customer_id")] = len(sales), len(sales)
		sales = append(sales, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := eachRow(dir, customersFile, func(get func(string) string) error {
		if i, ok := customerOf[get("customer_id")]; ok {
			// Leading zeros got lost when somebody's spreadsheet took the prefix for a number.
			zip := get("customer_zip_code_prefix")
			zip = strings.Repeat("0", max(0, 5-len(zip))) + zip
			sales[i].Customer = Customer{Ref: get("customer_unique_id"), City: get("customer_city"), State: get("customer_state"), Zip: zip}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return sales, addItems(dir, sales, index)
}

func addItems(dir string, sales []Sale, index map[string]int) error {
	products, sellers := map[string]string{}, map[string][2]string{}
	if err := eachRow(dir, itemsFile, func(get func(string) string) error {
		i, ok := index[get("order_id")]
		if !ok {
			return nil
		}
		price, err := strconv.ParseFloat(get("price"), 64)
		if err != nil {
			return fmt.Errorf("order %s: price: %w", get("order_id"), err)
		}
		it := Item{Product: get("product_id"), Seller: get("seller_id"), Cents: int64(math.Round(price * 100))}
		products[it.Product], sellers[it.Seller] = "", [2]string{}
		sales[i].Items = append(sales[i].Items, it)
		return nil
	}); err != nil {
		return err
	}
	english := map[string]string{}
	if err := eachRow(dir, categoriesFile, func(get func(string) string) error {
		english[get("product_category_name")] = get("product_category_name_english")
		return nil
	}); err != nil {
		return err
	}
	if err := eachRow(dir, productsFile, func(get func(string) string) error {
		if _, wanted := products[get("product_id")]; wanted {
			name := get("product_category_name")
			if e := english[name]; e != "" {
				name = e
			}
			products[get("product_id")] = strings.ReplaceAll(name, "_", " ")
		}
		return nil
	}); err != nil {
		return err
	}
	if err := eachRow(dir, sellersFile, func(get func(string) string) error {
		if _, wanted := sellers[get("seller_id")]; wanted {
			sellers[get("seller_id")] = [2]string{get("seller_city"), get("seller_state")}
		}
		return nil
	}); err != nil {
		return err
	}
	for i := range sales {
		for j := range sales[i].Items {
			it := &sales[i].Items[j]
			it.Category = products[it.Product]
			it.SellerCity, it.SellerState = sellers[it.Seller][0], sellers[it.Seller][1]
		}
	}
	return nil
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateTime, s)
}

// eachRow calls f with every row of a gzip CSV until f returns io.EOF. Columns
// are found by the names in the header, so that their order does not matter.
func eachRow(dir, file string, f func(get func(column string) string) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", filepath.Join(dir, file), err)
		}
	}()
	raw, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		return err
	}
	defer raw.Close()
	z, err := gzip.NewReader(raw)
	if err != nil {
		return err
	}
	r := csv.NewReader(z)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	columns := map[string]int{}
	for i, name := range header {
		columns[strings.TrimPrefix(name, "\ufeff")] = i
	}
	var missing error
	var record []string
	get := func(column string) string {
		i, ok := columns[column]
		if !ok {
			missing = fmt.Errorf("no column %q", column)
			return ""
		}
		return record[i]
	}
	for {
		record, err = r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		err = f(get)
		switch {
		case missing != nil:
			return missing
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
