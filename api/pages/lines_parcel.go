package pages

import "github.com/waybillhq/waybill/internal/speech"

// What is said in more than one place.
var (
	untilItShips    = []speech.Line{{"You will see it here as soon as it ships.", "Sie sehen es hier, sobald der Versand erfolgt ist.", "Lo verás aquí en cuanto salga.", "Você verá aqui assim que ele for enviado."}}
	untilScanned    = []speech.Line{{"It counts as shipped once {carrier} has scanned it.", "Es gilt als versandt, sobald {carrier} es gescannt hat.", "Se considera enviado cuando {carrier} lo haya escaneado.", "Ele será considerado enviado assim que {carrier} fizer a primeira leitura."}}
	customsMayAsk   = []speech.Line{{"If customs or {carrier} asks you for documents or a payment, answer soon: the parcel waits for it.", "Wenn der Zoll oder {carrier} Unterlagen oder eine Zahlung von Ihnen verlangt, antworten Sie bitte bald: So lange wartet das Paket.", "Si la aduana o {carrier} te pide documentos o un pago, responde pronto: el paquete espera hasta entonces.", "Se a alfândega ou {carrier} pedir documentos ou um pagamento, responda logo: o pacote espera até lá."}}
	askCarrier      = []speech.Line{{"With the tracking number you can ask {carrier_dat} for another day or a pickup point.", "Mit der Sendungsnummer können Sie bei {carrier_dat} einen anderen Tag oder die Abholung in einer Filiale wählen.", "Con el número de seguimiento puedes pedir a {carrier_dat} otro día o un punto de entrega.", "Com o código de rastreio, você pode combinar com {carrier_dat} outro dia ou um ponto de coleta."}}
	replaceOrRefund = []speech.Line{{"Please contact {shop} about a replacement or a refund.", "Bitte wenden Sie sich wegen Ersatz oder Erstattung an {shop}.", "Contacta con {shop} para pedir un reemplazo o un reembolso.", "Fale com a loja {shop} sobre uma reposição ou um reembolso."}}
	nothingToDo     = []speech.Line{{"Nothing to do for now.", "Im Moment müssen Sie nichts tun.", "Por ahora no tienes que hacer nada.", "Por enquanto, não é preciso fazer nada."}}
)

// parcelLines are what is said of one parcel, by milestone: a status of two or three
// words, what happened, and what comes next or can be done. {carrier} begins no
// sentence; where a carrier has no name, its cases differ in German.
var parcelLines = map[string][]speech.Line{
	"carrier":       {{"the carrier", "der Paketdienst", "la empresa de reparto", "a transportadora"}},
	"carrier_first": {{"The carrier", "Der Paketdienst", "La empresa de reparto", "A transportadora"}},
	"carrier_acc":   {{"the carrier", "den Paketdienst", "la empresa de reparto", "a transportadora"}},
	"carrier_dat":   {{"the carrier", "dem Paketdienst", "la empresa de reparto", "a transportadora"}},

	"expected.status":   {{"Order received", "Bestellung eingegangen", "Pedido recibido", "Pedido recebido"}},
	"expected.sentence": {{"{shop} has your order and will prepare it.", "{shop} hat Ihre Bestellung erhalten und bereitet sie vor.", "{shop} ha recibido tu pedido y lo va a preparar.", "A loja {shop} recebeu seu pedido e vai prepará-lo."}},
	"expected.next":     untilItShips,

	"picked.status":   {{"Being prepared", "In Vorbereitung", "En preparación", "Em preparação"}},
	"picked.sentence": {{"Your items are being packed.", "Ihre Artikel werden verpackt.", "Se están embalando tus artículos.", "Seus itens estão sendo embalados."}},
	"picked.next":     untilItShips,

	"packed.status":   {{"Packed", "Verpackt", "Embalado", "Embalado"}},
	"packed.sentence": {{"Your parcel is packed and waits for {carrier_acc}.", "Ihr Paket ist verpackt und wartet auf {carrier_acc}.", "Tu paquete está embalado y espera a que lo recoja {carrier_acc}.", "Seu pacote está embalado e aguarda {carrier_acc}."}},
	"packed.next":     untilItShips,

	"labelled.status":   {{"Label created", "Etikett erstellt", "Etiqueta creada", "Etiqueta criada"}},
	"labelled.sentence": {{"The shipping label is ready, but {carrier} does not have your parcel yet.", "Das Versandetikett ist fertig, aber {carrier} hat Ihr Paket noch nicht.", "La etiqueta de envío está lista, pero {carrier} aún no tiene tu paquete.", "A etiqueta de envio está pronta, mas {carrier} ainda não está com seu pacote."}},
	"labelled.next":     untilScanned,

	"handed_over.status":   {{"Waiting for the first scan", "Wartet auf den ersten Scan", "A la espera del primer escaneo", "Aguardando a primeira leitura"}},
	"handed_over.sentence": {{"{shop} has given your parcel to {carrier_acc}, which has not scanned it yet.", "{shop} hat Ihr Paket an {carrier_acc} übergeben; gescannt wurde es dort noch nicht.", "{shop} ha entregado tu paquete a {carrier_acc}, que aún no lo ha escaneado.", "A loja {shop} entregou seu pacote para {carrier_acc}, que ainda não fez a leitura."}},
	"handed_over.next":     untilScanned,

	"accepted.status": {{"Shipped", "Versandt", "Enviado", "Enviado"}},
	"accepted.sentence": {
		{"{carrier_first} has your parcel, last seen in {place} {seen}.", "{carrier_first} hat Ihr Paket, zuletzt gesehen {seen}, in {place}.", "{carrier_first} tiene tu paquete, visto por última vez {seen} en {place}.", "{carrier_first} está com seu pacote, visto pela última vez {seen}, em {place}."},
		{"{carrier_first} has your parcel, last seen in {place}.", "{carrier_first} hat Ihr Paket, zuletzt gesehen in {place}.", "{carrier_first} tiene tu paquete, visto por última vez en {place}.", "{carrier_first} está com seu pacote, visto pela última vez em {place}."},
		{"{carrier_first} has your parcel.", "{carrier_first} hat Ihr Paket.", "{carrier_first} tiene tu paquete.", "{carrier_first} está com seu pacote."},
	},
	"accepted.next": {{"Nothing to do for now: it travels to your area next.", "Im Moment müssen Sie nichts tun: Es kommt als Nächstes in Ihre Gegend.", "Por ahora no tienes que hacer nada: el paquete viaja hacia tu zona.", "Por enquanto, não é preciso fazer nada: ele segue para a sua região."}},

	"in_transit.status": {{"On the way", "Unterwegs", "En camino", "A caminho"}},
	"in_transit.sentence": {
		{"Your parcel is travelling with {carrier_dat}, last seen in {place} {seen}.", "Ihr Paket ist mit {carrier_dat} unterwegs, zuletzt gesehen {seen}, in {place}.", "Tu paquete está en camino con {carrier_dat}, visto por última vez {seen} en {place}.", "Seu pacote está a caminho com {carrier_dat}, visto pela última vez {seen}, em {place}."},
		{"Your parcel is travelling with {carrier_dat}, last seen in {place}.", "Ihr Paket ist mit {carrier_dat} unterwegs, zuletzt gesehen in {place}.", "Tu paquete está en camino con {carrier_dat}, visto por última vez en {place}.", "Seu pacote está a caminho com {carrier_dat}, visto pela última vez em {place}."},
		{"Your parcel is travelling with {carrier_dat}.", "Ihr Paket ist mit {carrier_dat} unterwegs.", "Tu paquete está en camino con {carrier_dat}.", "Seu pacote está a caminho com {carrier_dat}."},
	},
	"in_transit.next": {{"Nothing to do for now: it goes out for delivery once it is in your area.", "Im Moment müssen Sie nichts tun: Sobald es in Ihrer Gegend ist, wird es zugestellt.", "Por ahora no tienes que hacer nada: saldrá a reparto cuando llegue a tu zona.", "Por enquanto, não é preciso fazer nada: ele sairá para entrega quando chegar à sua região."}},

	"in_customs.status":   {{"In customs", "Beim Zoll", "En la aduana", "Na alfândega"}},
	"in_customs.sentence": {{"Customs is checking your parcel. That can take some days.", "Der Zoll prüft Ihr Paket. Das kann einige Tage dauern.", "La aduana está revisando tu paquete. Puede tardar unos días.", "A alfândega está verificando seu pacote. Isso pode levar alguns dias."}},
	"in_customs.next":     customsMayAsk,

	"out_for_delivery.status":   {{"Out for delivery", "In Zustellung", "En reparto", "Saiu para entrega"}},
	"out_for_delivery.sentence": {{"Your parcel is on the delivery vehicle.", "Ihr Paket ist im Zustellfahrzeug.", "Tu paquete está en el vehículo de reparto.", "Seu pacote está no veículo de entrega."}},
	"out_for_delivery.next":     {{"It should reach you today. Someone may have to be there to receive it.", "Es sollte heute bei Ihnen ankommen. Vielleicht muss jemand da sein, um die Sendung anzunehmen.", "Debería llegarte hoy. Puede que alguien tenga que estar para recibirlo.", "Ele deve chegar hoje. Pode ser preciso que alguém esteja no local para receber."}},
	// Not today, or not to arrive today.
	"out_for_delivery.then":      {{"{carrier_first} took your parcel out for delivery {on}.", "{carrier_first} hat Ihr Paket {on} in die Zustellung gegeben.", "{carrier_first} sacó tu paquete a reparto {on}.", "{carrier_first} saiu com seu pacote para entrega {on}."}},
	"out_for_delivery.then_what": {{"Someone may have to be there to receive it.", "Vielleicht muss jemand da sein, um die Sendung anzunehmen.", "Puede que alguien tenga que estar para recibirlo.", "Pode ser preciso que alguém esteja no local para receber."}},

	"ready_for_pickup.status": {{"Ready for pickup", "Abholbereit", "Listo para recoger", "Pronto para retirada"}},
	"ready_for_pickup.sentence": {
		{"Your parcel is waiting for you at {place}.", "Ihr Paket wartet auf Sie: {place}.", "Tu paquete te espera: {place}.", "Seu pacote espera por você: {place}."},
		{"Your parcel is waiting for you.", "Ihr Paket wartet auf Sie.", "Tu paquete te espera.", "Seu pacote espera por você."},
	},
	"ready_for_pickup.next": {{"Collect it soon and bring an ID or your pickup code: uncollected parcels are sent back.", "Holen Sie es bald ab und bringen Sie einen Ausweis oder Ihren Abholcode mit: Nicht abgeholte Pakete gehen zurück.", "Recógelo pronto con un documento de identidad o tu código de recogida: los paquetes que no se recogen se devuelven.", "Retire logo com um documento de identidade ou seu código de retirada: pacotes não retirados são devolvidos."}},

	"attempt_failed.status": {{"Delivery attempted", "Zustellung nicht möglich", "Intento de entrega", "Tentativa de entrega"}},
	"attempt_failed.sentence": {
		{"{carrier_first} has tried to deliver your parcel {n} times, last {on}, but could not hand it over: {why}.", "{carrier_first} hat {n}-mal versucht, Ihr Paket zuzustellen, zuletzt {on}, konnte es aber nicht übergeben: {why}.", "{carrier_first} ha intentado entregar tu paquete {n} veces, la última {on}, pero no ha podido: {why}.", "{carrier_first} tentou entregar seu pacote {n} vezes, a última {on}, mas não conseguiu: {why}."},
		{"{carrier_first} has tried to deliver your parcel {n} times, last {on}, but could not hand it over.", "{carrier_first} hat {n}-mal versucht, Ihr Paket zuzustellen, zuletzt {on}, konnte es aber nicht übergeben.", "{carrier_first} ha intentado entregar tu paquete {n} veces, la última {on}, pero no ha podido.", "{carrier_first} tentou entregar seu pacote {n} vezes, a última {on}, mas não conseguiu."},
		{"{carrier_first} tried to deliver your parcel {on} but could not hand it over: {why}.", "{carrier_first} hat {on} versucht, Ihr Paket zuzustellen, konnte es aber nicht übergeben: {why}.", "{carrier_first} intentó entregar tu paquete {on}, pero no pudo: {why}.", "{carrier_first} tentou entregar seu pacote {on}, mas não conseguiu: {why}."},
		{"{carrier_first} tried to deliver your parcel {on} but could not hand it over.", "{carrier_first} hat {on} versucht, Ihr Paket zuzustellen, konnte es aber nicht übergeben.", "{carrier_first} intentó entregar tu paquete {on}, pero no pudo.", "{carrier_first} tentou entregar seu pacote {on}, mas não conseguiu."},
	},
	"attempt_failed.again": {{"{carrier_first} usually tries again on the next working day.", "{carrier_first} versucht es meist am nächsten Werktag noch einmal.", "{carrier_first} suele intentarlo otra vez el siguiente día laborable.", "{carrier_first} normalmente tenta de novo no próximo dia útil."}},
	"attempt_failed.next":  askCarrier,

	"lost.status":   {{"Lost", "Verloren", "Perdido", "Perdido"}},
	"lost.sentence": {{"{carrier_first} cannot find your parcel. We are sorry.", "{carrier_first} kann Ihr Paket nicht finden. Das tut uns leid.", "{carrier_first} no encuentra tu paquete. Lo sentimos.", "{carrier_first} não consegue encontrar seu pacote. Sentimos muito."}},
	"lost.next":     replaceOrRefund,

	"delivered.status":   {{"Delivered", "Zugestellt", "Entregado", "Entregue"}},
	"delivered.sentence": {{"Your parcel was delivered {at}.", "Ihr Paket wurde {at} zugestellt.", "Tu paquete se entregó {at}.", "Seu pacote foi entregue {at}."}},
	"delivered.next":     {{"Not there? Look by the door and in the mailbox, and ask your neighbours. Then contact {shop}.", "Nicht da? Sehen Sie an der Tür und im Briefkasten nach und fragen Sie die Nachbarn. Wenden Sie sich dann an {shop}.", "¿No está? Mira junto a la puerta y en el buzón, y pregunta a tus vecinos. Después contacta con {shop}.", "Não está aí? Veja junto à porta e na caixa de correio e pergunte aos vizinhos. Depois fale com a loja {shop}."}},

	"returning.status":   {{"On its way back", "Auf dem Rückweg", "Vuelve al remitente", "Em devolução"}},
	"returning.sentence": {{"Your parcel is on its way back to {shop}.", "Ihr Paket ist auf dem Rückweg zu {shop}.", "Tu paquete va de vuelta a {shop}.", "Seu pacote está voltando para a loja {shop}."}},
	"returning.next":     {{"Please contact {shop} if you still want it, or about a refund.", "Wenn Sie es noch möchten oder eine Erstattung wünschen, wenden Sie sich bitte an {shop}.", "Contacta con {shop} si todavía lo quieres o para pedir un reembolso.", "Fale com a loja {shop} se ainda quiser recebê-lo ou para pedir um reembolso."}},

	"returned.status":   {{"Returned to sender", "Zurück beim Absender", "Devuelto al remitente", "Devolvido ao remetente"}},
	"returned.sentence": {{"Your parcel is back with {shop}.", "Ihr Paket ist zurück bei {shop}.", "Tu paquete ha vuelto a {shop}.", "Seu pacote voltou para a loja {shop}."}},
	"returned.next":     {{"Please contact {shop} about a second delivery or a refund.", "Bitte wenden Sie sich wegen einer zweiten Zustellung oder einer Erstattung an {shop}.", "Contacta con {shop} para pedir un segundo envío o un reembolso.", "Fale com a loja {shop} sobre um novo envio ou um reembolso."}},

	"destroyed.status":   {{"Cannot be delivered", "Nicht zustellbar", "No se puede entregar", "Não pode ser entregue"}},
	"destroyed.sentence": {{"{carrier_first} says that your parcel can no longer be delivered. We are sorry.", "{carrier_first} teilt mit, dass Ihr Paket nicht mehr zugestellt werden kann. Das tut uns leid.", "{carrier_first} informa de que tu paquete ya no se puede entregar. Lo sentimos.", "{carrier_first} informa que seu pacote não pode mais ser entregue. Sentimos muito."}},
	"destroyed.next":     replaceOrRefund,

	"cancelled.status":   {{"Cancelled", "Storniert", "Cancelado", "Cancelado"}},
	"cancelled.sentence": {{"This parcel was cancelled {on} and will not be sent.", "Dieses Paket wurde {on} storniert und wird nicht versandt.", "Este paquete se canceló {on} y no se enviará.", "Este pacote foi cancelado {on} e não será enviado."}},

	// Why an attempt failed, and what helps, by the bucket of the carrier's reason.
	"why.recipient_unavailable": {{"nobody was there to receive it", "Niemand war da, um es anzunehmen", "no había nadie para recibirlo", "não havia ninguém para receber"}},
	"why.business_closed":       {{"the business was closed", "Das Geschäft war geschlossen", "el negocio estaba cerrado", "o estabelecimento estava fechado"}},
	"why.refused":               {{"it was refused at the door", "Die Annahme wurde verweigert", "se rechazó en la puerta", "foi recusado na porta"}},
	"why.address":               {{"the address was not found or is not complete", "Die Adresse wurde nicht gefunden oder ist unvollständig", "la dirección no se encontró o está incompleta", "o endereço não foi encontrado ou está incompleto"}},
	"why.access":                {{"the driver could not get to the door", "Der Fahrer kam nicht bis zur Tür", "el repartidor no pudo llegar a la puerta", "o entregador não conseguiu chegar até a porta"}},
	"why.signature_id":          {{"a signature or an ID was needed", "Es fehlte eine Unterschrift oder ein Ausweis", "hacía falta una firma o un documento de identidad", "era preciso uma assinatura ou um documento"}},
	"why.payment":               {{"a payment was due", "Eine Zahlung stand noch aus", "había un pago pendiente", "havia um pagamento pendente"}},
	"why.weather":               {{"the weather did not allow it", "Das Wetter ließ es nicht zu", "el mal tiempo no lo permitió", "o mau tempo não permitiu"}},
	"why.customs":               {{"customs has not released it yet", "Der Zoll hat die Sendung noch nicht freigegeben", "la aduana aún no lo ha liberado", "a alfândega ainda não liberou"}},
	"why.carrier_delay":         {{"the driver did not get to it in time", "Der Fahrer hat es nicht rechtzeitig geschafft", "al repartidor no le dio tiempo", "o entregador não chegou a tempo"}},

	"do.recipient_unavailable": askCarrier,
	"do.business_closed":       {{"With the tracking number you can tell {carrier_dat} when somebody is there.", "Mit der Sendungsnummer können Sie {carrier_dat} mitteilen, wann jemand da ist.", "Con el número de seguimiento puedes decirle a {carrier_dat} cuándo habrá alguien.", "Com o código de rastreio, você pode combinar com {carrier_dat} quando haverá alguém no local."}},
	"do.refused":               {{"Please contact {shop} soon if that was a mistake: a refused parcel is sent back.", "Wenn das ein Versehen war, wenden Sie sich bitte bald an {shop}: Ein Paket, dessen Annahme verweigert wurde, geht zurück.", "Si fue un error, contacta pronto con {shop}: un paquete rechazado se devuelve.", "Se foi um engano, fale logo com a loja {shop}: um pacote recusado é devolvido."}},
	"do.address":               {{"Please contact {shop} soon to check the address: without it the parcel is sent back.", "Bitte wenden Sie sich bald an {shop}, um die Adresse zu prüfen: Ohne sie geht das Paket zurück.", "Contacta pronto con {shop} para revisar la dirección: sin ella, el paquete se devuelve.", "Fale logo com a loja {shop} para verificar o endereço: sem ele, o pacote será devolvido."}},
	"do.access":                {{"With the tracking number you can tell {carrier_dat} how to get in, or ask for a pickup point.", "Mit der Sendungsnummer können Sie {carrier_dat} mitteilen, wie man zu Ihnen kommt, oder die Abholung in einer Filiale wählen.", "Con el número de seguimiento puedes explicarle a {carrier_dat} cómo entrar, o pedir un punto de entrega.", "Com o código de rastreio, você pode explicar para {carrier_dat} como entrar, ou pedir um ponto de coleta."}},
	"do.signature_id":          {{"Someone has to be there to sign, with an ID at hand.", "Jemand muss da sein, der unterschreibt und sich ausweisen kann.", "Tiene que haber alguien que firme, con un documento de identidad a mano.", "É preciso haver alguém para assinar, com um documento em mãos."}},
	"do.payment":               {{"Have the payment ready, or ask {carrier_acc} how to pay before.", "Halten Sie die Zahlung bereit oder fragen Sie {carrier_acc}, wie Sie vorher zahlen können.", "Ten listo el pago o pregunta a {carrier_acc} cómo pagar antes.", "Deixe o pagamento pronto ou pergunte para {carrier_acc} como pagar antes."}},
	"do.weather":               nothingToDo,
	"do.customs":               customsMayAsk,
	"do.carrier_delay":         nothingToDo,

	// The steps of a parcel's way, where they are not called as its status is.
	"step.ordered":        {{"Ordered", "Bestellt", "Pedido", "Pedido"}},
	"step.packed":         {{"Prepared", "Vorbereitet", "Preparado", "Preparado"}},
	"step.attempt_failed": {{"Delivery tried", "Zustellung versucht", "Intento de entrega", "Tentativa de entrega"}},
	"step.returned":       {{"Returned", "Zurück", "Devuelto", "Devolvido"}},
	"step.is_done":        {{"done", "erledigt", "hecho", "concluído"}},
	"step.is_now":         {{"now", "jetzt", "ahora", "agora"}},
	"step.is_warn":        {{"now, needs attention", "jetzt, braucht Aufmerksamkeit", "ahora, requiere atención", "agora, requer atenção"}},
	"step.is_stop":        {{"stopped here", "endet hier", "terminó aquí", "terminou aqui"}},
	"step.is_hold":        {{"on hold", "angehalten", "en espera", "em espera"}},
	"step.is_todo":        {{"not yet", "noch nicht", "todavía no", "ainda não"}},

	// A parcel's story, where its lines are not called as its status is.
	"story.expected":       {{"Order placed", "Bestellung aufgegeben", "Pedido realizado", "Pedido feito"}},
	"story.labelled":       {{"Shipping label created", "Versandetikett erstellt", "Etiqueta de envío creada", "Etiqueta de envio criada"}},
	"story.handed_over":    {{"Given to {carrier_acc}, not yet scanned", "An {carrier_acc} übergeben, noch nicht gescannt", "Entregado a {carrier_acc}, aún sin escanear", "Entregue para {carrier_acc}, ainda sem leitura"}},
	"story.accepted":       {{"{carrier_first} has the parcel", "{carrier_first} hat das Paket", "{carrier_first} tiene el paquete", "{carrier_first} está com o pacote"}},
	"story.attempt_failed": {{"Delivery attempted", "Zustellversuch", "Intento de entrega", "Tentativa de entrega"}},
	"story.lost":           {{"Reported lost", "Als verloren gemeldet", "Declarado perdido", "Declarado perdido"}},
	"story.returned":       {{"Back with the sender", "Zurück beim Absender", "Devuelto al remitente", "Devolvido ao remetente"}},
	"story.destroyed":      {{"Can no longer be delivered", "Nicht mehr zustellbar", "Ya no se puede entregar", "Não pode mais ser entregue"}},
	"story.to.person":      {{"Delivered to a person", "An eine Person übergeben", "Entregado a una persona", "Entregue a uma pessoa"}},
	"story.to.neighbour":   {{"Delivered to a neighbour", "Beim Nachbarn abgegeben", "Entregado a un vecino", "Entregue a um vizinho"}},
	"story.to.locker":      {{"Delivered to a locker", "In ein Paketfach gelegt", "Entregado en una taquilla", "Entregue em um armário de encomendas"}},
	"story.to.porch":       {{"Delivered, left at the address", "Zugestellt, an der Adresse abgelegt", "Entregado, dejado en la dirección", "Entregue, deixado no endereço"}},
	"story.to.agent":       {{"Delivered to an agent", "An einen Beauftragten übergeben", "Entregado a un representante", "Entregue a um representante"}},
	"story.to.mailbox":     {{"Delivered to a mailbox", "In den Briefkasten gelegt", "Entregado en el buzón", "Entregue na caixa de correio"}},
	"story.to.partial":     {{"Delivered, in part", "Teilweise zugestellt", "Entregado en parte", "Entregue em parte"}},
	"story.piece":          {{"One piece delivered", "Ein Packstück zugestellt", "Un bulto entregado", "Um volume entregue"}},
	"story.pieces":         {{"{n} of {total} pieces delivered", "{n} von {total} Packstücken zugestellt", "{n} de {total} bultos entregados", "{n} de {total} volumes entregues"}},
	"story.corrected":      {{"Corrected: {what}", "Korrigiert: {what}", "Corregido: {what}", "Corrigido: {what}"}, {"Corrected: back to an earlier step", "Korrigiert: zurück auf einen früheren Schritt", "Corregido: de vuelta a un paso anterior", "Corrigido: de volta a uma etapa anterior"}},
}
