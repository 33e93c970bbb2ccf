package speech

var tongues = []*Tongue{
	{
		tag: "en", name: "English", index: 0, letters: 3,
		days:   [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		day:    "W D M", date: "W D M Y", short: "S D N", brief: "D N", on: "on ", onWeekend: "on ",
		comma: " ", hour: "at H", behind: ", H", span: " between X and Y", hours: ", X–Y", between: "between X and Y",
		by: "by ", until: "until ", since: "from ", shortBy: "by ", shortUntil: "until ",
		decimal: ".", group: ",", money: "CA", symbols: map[string]string{"EUR": "€", "USD": "$", "GBP": "£"},
	}, {
		tag: "de", name: "Deutsch", index: 1, letters: 2,
		days:   [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		day:    "W, D. M", date: "W, D. M Y", short: "S, D.#.", brief: "D.#.", on: "am ", onWeekend: "am ",
		comma: ", ", hour: "um H Uhr", behind: ", H Uhr", span: ", zwischen X und Y Uhr", hours: ", X–Y Uhr", between: "zwischen X und Y",
		by: "bis ", until: "bis ", since: "ab ", shortBy: "bis ", shortUntil: "bis ",
		decimal: ",", group: ".", money: "A C", symbols: map[string]string{"EUR": "€", "GBP": "£"},
	}, {
		tag: "es", name: "Español", index: 2, letters: 3,
		days:   [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		months: [12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
		day:    "W D de M", date: "W D de M de Y", short: "S D N", brief: "D N", on: "el ", onWeekend: "el ",
		comma: " ", hour: "a las H", behind: ", H", span: " entre las X y las Y", hours: ", X–Y", between: "entre el X y el Y",
		by: "a más tardar el ", until: "hasta el ", since: "desde el ", shortBy: "hasta el ", shortUntil: "hasta el ",
		decimal: ",", group: ".", money: "A C", symbols: map[string]string{"EUR": "€", "GBP": "£"},
	}, {
		tag: "pt-BR", name: "Português", index: 3, letters: 3,
		days:   [7]string{"domingo", "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado"},
		months: [12]string{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"},
		day:    "W, D de M", date: "W, D de M de Y", short: "S D/#", brief: "D/#", on: "na ", onWeekend: "no ",
		comma: ", ", hour: "às H", behind: ", H", span: ", entre X e Y", hours: ", X–Y", between: "entre X e Y",
		by: "até ", until: "até ", since: "a partir de ", shortBy: "até ", shortUntil: "até ",
		decimal: ",", group: ".", money: "C A", symbols: map[string]string{"BRL": "R$", "USD": "US$", "EUR": "€", "GBP": "£"},
	},
}
