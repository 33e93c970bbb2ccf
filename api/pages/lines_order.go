package pages

import "github.com/waybillhq/waybill/internal/speech"

var notExpected = []speech.Line{{"If you did not expect that, contact {shop}.", "Wenn Sie das nicht erwartet haben, wenden Sie sich an {shop}.", "Si no lo esperabas, contacta con {shop}.", "Se você não esperava por isso, fale com a loja {shop}."}}

// orderLines are what is said of a whole order.
var orderLines = map[string][]speech.Line{
	"order.cancelled": {
		{"This order was cancelled {on}. Nothing will be sent.", "Diese Bestellung wurde {on} storniert. Es wird nichts versandt.", "Este pedido se canceló {on}. No se enviará nada.", "Este pedido foi cancelado {on}. Nada será enviado."},
		{"This order was cancelled. Nothing will be sent.", "Diese Bestellung wurde storniert. Es wird nichts versandt.", "Este pedido se canceló. No se enviará nada.", "Este pedido foi cancelado. Nada será enviado."},
	},
	"order.cancelled_next": {{"For questions about a payment, contact {shop}.", "Bei Fragen zu einer Zahlung wenden Sie sich an {shop}.", "Si tienes preguntas sobre un pago, contacta con {shop}.", "Em caso de dúvidas sobre um pagamento, fale com a loja {shop}."}},

	"order.held": {{"On hold", "Angehalten", "En espera", "Em espera"}},
	"order.held_sentence": {
		{"{?partly}{shop} has put on hold what has not left yet.", "{?partly}{shop} hat angehalten, was noch nicht versandt ist.", "{?partly}{shop} ha puesto en espera lo que aún no ha salido.", "{?partly}A loja {shop} colocou em espera o que ainda não saiu."},
		{"{shop} has put this order on hold before sending it.", "{shop} hat diese Bestellung vor dem Versand angehalten.", "{shop} ha puesto este pedido en espera antes de enviarlo.", "A loja {shop} colocou este pedido em espera antes do envio."},
	},
	"order.held_next": notExpected,

	"order.rest_cancelled": {{"{sentence} The rest of the order was cancelled.", "{sentence} Der Rest der Bestellung wurde storniert.", "{sentence} El resto del pedido se canceló.", "{sentence} O restante do pedido foi cancelado."}},

	"order.all_delivered":      {{"All {n} parcels were delivered.", "Alle {n} Pakete wurden zugestellt.", "Se entregaron los {n} paquetes.", "Todos os {n} pacotes foram entregues."}},
	"order.all_delivered_next": {{"Something missing? Look by the door and in the mailbox, and ask your neighbours. Then contact {shop}.", "Fehlt etwas? Sehen Sie an der Tür und im Briefkasten nach und fragen Sie die Nachbarn. Wenden Sie sich dann an {shop}.", "¿Falta algo? Mira junto a la puerta y en el buzón, y pregunta a tus vecinos. Después contacta con {shop}.", "Falta algo? Veja junto à porta e na caixa de correio e pergunte aos vizinhos. Depois fale com a loja {shop}."}},

	"order.partly_shipped":   {{"Partly shipped", "Teilweise versandt", "Enviado en parte", "Enviado em parte"}},
	"order.partly_delivered": {{"Partly delivered", "Teilweise zugestellt", "Entregado en parte", "Entregue em parte"}},
	"order.partly_sentence": {
		{"{?one}One parcel has left; the rest of your order is still being prepared.", "{?one}Ein Paket ist versandt; der Rest Ihrer Bestellung wird noch vorbereitet.", "{?one}Un paquete ya ha salido; el resto de tu pedido aún se está preparando.", "{?one}Um pacote já saiu; o restante do seu pedido ainda está sendo preparado."},
		{"{n} parcels have left; the rest of your order is still being prepared.", "{n} Pakete sind versandt; der Rest Ihrer Bestellung wird noch vorbereitet.", "{n} paquetes ya han salido; el resto de tu pedido aún se está preparando.", "{n} pacotes já saíram; o restante do seu pedido ainda está sendo preparado."},
	},

	"order.delivered_of": {{"{n} of {total} parcels delivered", "{n} von {total} Paketen zugestellt", "{n} de {total} paquetes entregados", "{n} de {total} pacotes entregues"}},
	"order.shipped_of":   {{"{n} of {total} parcels shipped", "{n} von {total} Paketen versandt", "{n} de {total} paquetes enviados", "{n} de {total} pacotes enviados"}},
	"order.on_the_way":   {{"{n} parcels on the way", "{n} Pakete unterwegs", "{n} paquetes en camino", "{n} pacotes a caminho"}},
	"order.parcels":      {{"Your {n} parcels", "Ihre {n} Pakete", "Tus {n} paquetes", "Seus {n} pacotes"}},

	"order.prepared": {
		{"{?one}{shop} is preparing your order.", "{?one}{shop} bereitet Ihre Bestellung vor.", "{?one}{shop} está preparando tu pedido.", "{?one}A loja {shop} está preparando seu pedido."},
		{"{shop} is preparing your order in {n} parcels.", "{shop} bereitet Ihre Bestellung in {n} Paketen vor.", "{shop} está preparando tu pedido en {n} paquetes.", "A loja {shop} está preparando seu pedido em {n} pacotes."},
	},
	"order.prepared_next": {{"You will see each of them here as soon as it ships.", "Sie sehen hier jedes Paket, sobald es versandt ist.", "Verás aquí cada uno en cuanto salga.", "Você verá cada um aqui assim que for enviado."}},

	"order.comes_in": {
		{"Your order comes in {n} parcels. {parcels}.", "Ihre Bestellung kommt in {n} Paketen. {parcels}.", "Tu pedido llega en {n} paquetes. {parcels}.", "Seu pedido chega em {n} pacotes. {parcels}."},
		{"Your order comes in {n} parcels.", "Ihre Bestellung kommt in {n} Paketen.", "Tu pedido llega en {n} paquetes.", "Seu pedido chega em {n} pacotes."},
	},
	"order.list":    {{"{list} and {last}", "{list} und {last}", "{list} y {last}", "{list} e {last}"}},
	"order.below":   {{"See below what you can do.", "Unten steht, was Sie tun können.", "Más abajo ves qué puedes hacer.", "Veja abaixo o que você pode fazer."}},
	"order.returns": {{"See below where your return is.", "Unten steht, wo Ihre Rücksendung ist.", "Más abajo ves dónde está tu devolución.", "Veja abaixo onde está sua devolução."}},

	"arrival.promised":     {{"Promised by", "Versprochen bis", "Prometido para", "Prometido até"}},
	"arrival.expected":     {{"Expected", "Voraussichtlich", "Previsto", "Previsto"}},
	"arrival.by":           {{"Arrives by", "Ankunft bis", "Llega a más tardar", "Chega até"}},
	"arrival.new":          {{"New date", "Neuer Termin", "Nueva fecha", "Nova data"}},
	"arrival.late":         {{"Late", "Verspätet", "Con retraso", "Atrasado"}},
	"arrival.or_after":     {{"{day} or after", "{day} oder später", "{day} o después", "{day} ou depois"}},
	"arrival.none":         {{"No new date yet", "Noch kein neuer Termin", "Aún sin nueva fecha", "Ainda sem nova data"}},
	"arrival.came_late":    {{"It came later than promised. We are sorry.", "Ihre Bestellung kam später als versprochen. Das tut uns leid.", "Llegó más tarde de lo prometido. Lo sentimos.", "Chegou depois do prometido. Sentimos muito."}},
	"arrival.may_change":   {{"The date may change while the order is on hold.", "Der Termin kann sich ändern, solange die Bestellung angehalten ist.", "La fecha puede cambiar mientras el pedido esté en espera.", "A data pode mudar enquanto o pedido estiver em espera."}},
	"arrival.later":        {{"Later than promised. We are sorry.", "Später als versprochen. Das tut uns leid.", "Más tarde de lo prometido. Lo sentimos.", "Depois do prometido. Sentimos muito."}},
	"arrival.later_than":   {{"Later than promised: it should have come by {day}. We are sorry.", "Später als versprochen: Ihre Bestellung sollte bis {day} ankommen. Das tut uns leid.", "Más tarde de lo prometido: debería haber llegado a más tardar el {day}. Lo sentimos.", "Depois do prometido: deveria ter chegado até {day}. Sentimos muito."}},
	"arrival.not_yet_here": {{"It should have come by {day}. We are sorry: the new date will stand here as soon as it is known.", "Ihre Bestellung sollte bis {day} ankommen. Das tut uns leid: Der neue Termin steht hier, sobald er bekannt ist.", "Debería haber llegado a más tardar el {day}. Lo sentimos: la nueva fecha estará aquí en cuanto se sepa.", "Deveria ter chegado até {day}. Sentimos muito: a nova data aparecerá aqui assim que for conhecida."}},

	// Parcels of a group: behind their number, one or several, and as a clause.
	"group.pickup":    grouped("ready for pickup", "abholbereit", "listo para recoger", "listos para recoger", "pronto para retirada", "prontos para retirada"),
	"group.attempt":   grouped("delivery attempted", "mit Zustellversuch", "con intento de entrega", "con intento de entrega", "com tentativa de entrega", "com tentativa de entrega"),
	"group.lost":      grouped("lost or undeliverable", "verloren oder nicht zustellbar", "perdido o no entregable", "perdidos o no entregables", "perdido ou não entregável", "perdidos ou não entregáveis"),
	"group.back":      grouped("going back to sender", "auf dem Rückweg", "de vuelta al remitente", "de vuelta al remitente", "em devolução", "em devolução"),
	"group.out":       grouped("out for delivery", "in Zustellung", "en reparto", "en reparto", "saiu para entrega", "saíram para entrega"),
	"group.way":       grouped("on the way", "unterwegs", "en camino", "en camino", "a caminho", "a caminho"),
	"group.prep":      grouped("being prepared", "in Vorbereitung", "en preparación", "en preparación", "em preparação", "em preparação"),
	"group.done":      grouped("delivered", "zugestellt", "entregado", "entregados", "entregue", "entregues"),
	"group.returned":  grouped("returned to sender", "zurück beim Absender", "devuelto al remitente", "devueltos al remitente", "devolvido ao remetente", "devolvidos ao remetente"),
	"group.cancelled": grouped("cancelled", "storniert", "cancelado", "cancelados", "cancelado", "cancelados"),

	"are.pickup":   {{"{?one}{n} is ready for pickup", "{?one}{n} ist abholbereit", "{?one}{n} está listo para recoger", "{?one}{n} está pronto para retirada"}, {"{n} are ready for pickup", "{n} sind abholbereit", "{n} están listos para recoger", "{n} estão prontos para retirada"}},
	"are.attempt":  {{"{?one}{n} could not be handed over", "{?one}{n} konnte nicht übergeben werden", "{?one}{n} no se pudo entregar", "{?one}{n} não pôde ser entregue"}, {"{n} could not be handed over", "{n} konnten nicht übergeben werden", "{n} no se pudieron entregar", "{n} não puderam ser entregues"}},
	"are.lost":     {{"{?one}{n} is lost or undeliverable", "{?one}{n} ist verloren oder nicht zustellbar", "{?one}{n} se ha perdido o no se puede entregar", "{?one}{n} foi perdido ou não pode ser entregue"}, {"{n} are lost or undeliverable", "{n} sind verloren oder nicht zustellbar", "{n} se han perdido o no se pueden entregar", "{n} foram perdidos ou não podem ser entregues"}},
	"are.back":     {{"{?one}{n} is going back to sender", "{?one}{n} ist auf dem Rückweg", "{?one}{n} va de vuelta al remitente", "{?one}{n} está em devolução"}, {"{n} are going back to sender", "{n} sind auf dem Rückweg", "{n} van de vuelta al remitente", "{n} estão em devolução"}},
	"are.out":      {{"{?one}{n} is out for delivery", "{?one}{n} ist in Zustellung", "{?one}{n} está en reparto", "{?one}{n} saiu para entrega"}, {"{n} are out for delivery", "{n} sind in Zustellung", "{n} están en reparto", "{n} saíram para entrega"}},
	"are.way":      {{"{?one}{n} is on the way", "{?one}{n} ist unterwegs", "{?one}{n} está en camino", "{?one}{n} está a caminho"}, {"{n} are on the way", "{n} sind unterwegs", "{n} están en camino", "{n} estão a caminho"}},
	"are.prep":     {{"{?one}{n} is being prepared", "{?one}{n} wird vorbereitet", "{?one}{n} se está preparando", "{?one}{n} está sendo preparado"}, {"{n} are being prepared", "{n} werden vorbereitet", "{n} se están preparando", "{n} estão sendo preparados"}},
	"are.returned": {{"{?one}{n} is returned to sender", "{?one}{n} ist zurück beim Absender", "{?one}{n} se ha devuelto al remitente", "{?one}{n} foi devolvido ao remetente"}, {"{n} are returned to sender", "{n} sind zurück beim Absender", "{n} se han devuelto al remitente", "{n} foram devolvidos ao remetente"}},
}

// grouped are words behind a number: English and German do not bend them.
func grouped(en, de, es, ess, pt, pts string) []speech.Line {
	const one = "{?one}"
	return []speech.Line{{one + en, one + de, one + es, one + pt}, {en, de, ess, pts}}
}
