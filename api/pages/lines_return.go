package pages

import "github.com/waybillhq/waybill/internal/speech"

var askShop = []speech.Line{{"For questions about it, contact {shop}.", "Bei Fragen dazu wenden Sie sich an {shop}.", "Si tienes preguntas, contacta con {shop}.", "Em caso de dúvidas, fale com a loja {shop}."}}

// returnLines are what is said of a return, by its state: a status, what happened,
// what the buyer can do.
var returnLines = map[string][]speech.Line{
	"return.title": {{"Your return", "Ihre Rücksendung", "Tu devolución", "Sua devolução"}},

	"return.save_label": {{"Save the return label", "Rücksendeetikett speichern", "Guardar la etiqueta de devolución", "Salvar a etiqueta de devolução"}},

	"return.requested.status":   {{"Return requested", "Rücksendung angefragt", "Devolución solicitada", "Devolução solicitada"}},
	"return.requested.sentence": {{"{shop} has your request and decides about it.", "{shop} hat Ihre Anfrage erhalten und entscheidet darüber.", "{shop} ha recibido tu solicitud y va a decidir.", "A loja {shop} recebeu sua solicitação e vai decidir."}},
	"return.requested.next":     {{"Please keep everything as it is until you read here that the return is accepted.", "Bitte lassen Sie alles, wie es ist, bis hier steht, dass die Rücksendung angenommen ist.", "Déjalo todo como está hasta que leas aquí que la devolución está aceptada.", "Deixe tudo como está até ler aqui que a devolução foi aceita."}},

	"return.authorized.status":   {{"Return accepted", "Rücksendung angenommen", "Devolución aceptada", "Devolução aceita"}},
	"return.authorized.sentence": {{"{shop} takes your items back.", "{shop} nimmt Ihre Artikel zurück.", "{shop} acepta la devolución de tus artículos.", "A loja {shop} aceita seus itens de volta."}},
	"return.authorized.next": {
		{"Pack them well and follow what {shop} told you about sending them. Please do so by {day}.", "Verpacken Sie sie gut und folgen Sie dem, was {shop} Ihnen zum Versand geschrieben hat. Bitte tun Sie das bis {day}.", "Embálalos bien y sigue las indicaciones de {shop} para enviarlos. Hazlo a más tardar el {day}.", "Embale-os bem e siga as orientações da loja {shop} para o envio. Faça isso até {day}."},
		{"Pack them well and follow what {shop} told you about sending them.", "Verpacken Sie sie gut und folgen Sie dem, was {shop} Ihnen zum Versand geschrieben hat.", "Embálalos bien y sigue las indicaciones de {shop} para enviarlos.", "Embale-os bem e siga as orientações da loja {shop} para o envio."},
	},

	"return.label_sent.status":   {{"Return label sent", "Rücksendeetikett verschickt", "Etiqueta de devolución enviada", "Etiqueta de devolução enviada"}},
	"return.label_sent.sentence": {{"The label for your return is ready.", "Das Etikett für Ihre Rücksendung ist fertig.", "La etiqueta de tu devolución está lista.", "A etiqueta da sua devolução está pronta."}},
	"return.label_sent.next": {
		{"Pack the items, put the label on the parcel and give it to {carrier_dat} by {day}.", "Verpacken Sie die Artikel, kleben Sie das Etikett auf das Paket und geben Sie es bis {day} bei {carrier_dat} ab.", "Embala los artículos, pon la etiqueta en el paquete y entrégalo a {carrier_dat} a más tardar el {day}.", "Embale os itens, cole a etiqueta no pacote e entregue-o para {carrier_dat} até {day}."},
		{"Pack the items, put the label on the parcel and give it to {carrier_dat}.", "Verpacken Sie die Artikel, kleben Sie das Etikett auf das Paket und geben Sie es bei {carrier_dat} ab.", "Embala los artículos, pon la etiqueta en el paquete y entrégalo a {carrier_dat}.", "Embale os itens, cole a etiqueta no pacote e entregue-o para {carrier_dat}."},
	},

	"return.pickup_scheduled.status":   {{"Pickup arranged", "Abholung vereinbart", "Recogida acordada", "Coleta agendada"}},
	"return.pickup_scheduled.sentence": {{"{carrier_first} comes for your return {on}.", "{carrier_first} holt Ihre Rücksendung {on} ab.", "{carrier_first} recoge tu devolución {on}.", "{carrier_first} coleta sua devolução {on}."}},
	"return.pickup_scheduled.next":     {{"Have the parcel packed and ready; someone has to be there to hand it over.", "Halten Sie das Paket fertig gepackt bereit; jemand muss da sein, um es zu übergeben.", "Ten el paquete embalado y listo; tiene que haber alguien para entregarlo.", "Deixe o pacote embalado e pronto; é preciso haver alguém para entregá-lo."}},

	"return.in_transit.status": {{"Return on its way", "Rücksendung unterwegs", "Devolución en camino", "Devolução a caminho"}},
	"return.in_transit.sentence": {
		{"Your return is travelling back to {shop}, last seen in {place}.", "Ihre Rücksendung ist auf dem Weg zu {shop}, zuletzt gesehen in {place}.", "Tu devolución va de vuelta a {shop}, vista por última vez en {place}.", "Sua devolução está a caminho da loja {shop}, vista pela última vez em {place}."},
		{"Your return is travelling back to {shop}.", "Ihre Rücksendung ist auf dem Weg zu {shop}.", "Tu devolución va de vuelta a {shop}.", "Sua devolução está a caminho da loja {shop}."},
	},
	"return.in_transit.next":      {{"Nothing to do for now: it is looked at when it arrives.", "Im Moment müssen Sie nichts tun: Sie wird geprüft, sobald sie ankommt.", "Por ahora no tienes que hacer nada: se revisará cuando llegue.", "Por enquanto, não é preciso fazer nada: ela será verificada quando chegar."}},
	"return.in_transit.lost":      {{"{carrier_first} cannot find your return. We are sorry.", "{carrier_first} kann Ihre Rücksendung nicht finden. Das tut uns leid.", "{carrier_first} no encuentra tu devolución. Lo sentimos.", "{carrier_first} não consegue encontrar sua devolução. Sentimos muito."}},
	"return.in_transit.lost_what": {{"{shop} decides what follows. Keep the receipt of the parcel.", "{shop} entscheidet, wie es weitergeht. Heben Sie den Beleg über die Abgabe des Pakets auf.", "{shop} decidirá cómo seguir. Guarda el resguardo del envío.", "A loja {shop} decidirá como seguir. Guarde o comprovante de postagem."}},

	"return.received.status":   {{"Return received", "Rücksendung angekommen", "Devolución recibida", "Devolução recebida"}},
	"return.received.sentence": {{"Your return has arrived at {shop}.", "Ihre Rücksendung ist bei {shop} angekommen.", "Tu devolución ha llegado a {shop}.", "Sua devolução chegou à loja {shop}."}},
	"return.received.next":     {{"Nothing to do for now: it is inspected next.", "Im Moment müssen Sie nichts tun: Sie wird als Nächstes geprüft.", "Por ahora no tienes que hacer nada: ahora se revisará.", "Por enquanto, não é preciso fazer nada: ela será verificada em seguida."}},

	"return.inspecting.status":   {{"Return being inspected", "Rücksendung in Prüfung", "Devolución en revisión", "Devolução em verificação"}},
	"return.inspecting.sentence": {{"{shop} looks at what you sent back.", "{shop} prüft, was Sie zurückgeschickt haben.", "{shop} está revisando lo que has devuelto.", "A loja {shop} está verificando o que você devolveu."}},
	"return.inspecting.next":     {{"Nothing to do for now: you will read here what comes of it.", "Im Moment müssen Sie nichts tun: Das Ergebnis steht dann hier.", "Por ahora no tienes que hacer nada: leerás aquí el resultado.", "Por enquanto, não é preciso fazer nada: você verá aqui o resultado."}},

	"return.dispositioned.status":   {{"Return inspected", "Rücksendung geprüft", "Devolución revisada", "Devolução verificada"}},
	"return.dispositioned.sentence": {{"{shop} has looked at what you sent back.", "{shop} hat geprüft, was Sie zurückgeschickt haben.", "{shop} ha revisado lo que has devuelto.", "A loja {shop} verificou o que você devolveu."}},
	"return.dispositioned.next":     {{"Nothing to do for now: what is owed to you is being arranged.", "Im Moment müssen Sie nichts tun: Was Ihnen zusteht, wird veranlasst.", "Por ahora no tienes que hacer nada: se está tramitando lo que te corresponde.", "Por enquanto, não é preciso fazer nada: o que você tem a receber está sendo providenciado."}},

	"return.refund_released.status":   {{"Refunded", "Erstattet", "Reembolsado", "Reembolsado"}},
	"return.refund_released.sentence": {{"Your refund is on its way.", "Ihre Erstattung ist unterwegs.", "Tu reembolso está en camino.", "Seu reembolso está a caminho."}},
	"return.refund_released.next":     {{"It can take your bank some days to show it.", "Je nach Bank kann es einige Tage dauern, bis Sie sie sehen.", "Según tu banco, puede tardar unos días en aparecer.", "Dependendo do banco, pode levar alguns dias até aparecer."}},

	"return.replacement_released.status":   {{"Replacement ordered", "Ersatz bestellt", "Reemplazo pedido", "Reposição pedida"}},
	"return.replacement_released.sentence": {{"{shop} sends you new items in an order of its own.", "{shop} schickt Ihnen neue Artikel mit einer eigenen Bestellung.", "{shop} te envía artículos nuevos en un pedido aparte.", "A loja {shop} vai enviar itens novos em um pedido separado."}},
	"return.replacement_released.next":     {{"Nothing to do for now: it ships like any other order.", "Im Moment müssen Sie nichts tun: Sie wird versandt wie jede andere Bestellung.", "Por ahora no tienes que hacer nada: se envía como cualquier otro pedido.", "Por enquanto, não é preciso fazer nada: ele será enviado como qualquer outro pedido."}},

	"return.sent_back.status":   {{"Sent back to you", "An Sie zurückgeschickt", "Devuelto a ti", "Enviado de volta a você"}},
	"return.sent_back.sentence": {{"What could not be taken back is on its way to you.", "Was nicht zurückgenommen werden konnte, ist auf dem Weg zu Ihnen.", "Lo que no se pudo aceptar está en camino hacia ti.", "O que não pôde ser aceito está a caminho de você."}},
	"return.sent_back.next":     notExpected,

	"return.closed.status":   {{"Return completed", "Rücksendung abgeschlossen", "Devolución completada", "Devolução concluída"}},
	"return.closed.sentence": {{"Everything about this return is done.", "Mit dieser Rücksendung ist alles erledigt.", "Esta devolución está terminada.", "Tudo desta devolução está resolvido."}},
	"return.closed.next":     askShop,

	"return.rejected.status":   {{"Return not accepted", "Rücksendung nicht angenommen", "Devolución no aceptada", "Devolução não aceita"}},
	"return.rejected.sentence": {{"{shop} could not accept this return.", "{shop} konnte diese Rücksendung nicht annehmen.", "{shop} no ha podido aceptar esta devolución.", "A loja {shop} não pôde aceitar esta devolução."}},
	"return.rejected.next":     askShop,

	"return.cancelled.status":   {{"Return cancelled", "Rücksendung storniert", "Devolución cancelada", "Devolução cancelada"}},
	"return.cancelled.sentence": {{"This return was called off.", "Diese Rücksendung wurde abgesagt.", "Esta devolución se ha anulado.", "Esta devolução foi cancelada."}},
	"return.cancelled.next":     {{"If that was not meant, contact {shop}.", "Wenn das nicht so gemeint war, wenden Sie sich an {shop}.", "Si no era tu intención, contacta con {shop}.", "Se não era essa a intenção, fale com a loja {shop}."}},

	// A part of what was wanted was declined, and the return is not over.
	"return.declined": {{"{shop} still has to settle a part of it. For questions about it, contact {shop}.", "{shop} muss einen Teil davon noch klären. Bei Fragen dazu wenden Sie sich an {shop}.", "{shop} aún tiene que resolver una parte. Si tienes preguntas, contacta con {shop}.", "A loja {shop} ainda precisa resolver uma parte. Em caso de dúvidas, fale com a loja {shop}."}},
}
