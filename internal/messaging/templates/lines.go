package templates

import "github.com/waybillhq/waybill/internal/speech"

// lines holds, for each key, the texts to choose from. The first whose words are
// all known is said, so a fact that is missing leads to the next wording, and
// where there is none to an error that names it.
var lines = map[string][]speech.Line{
	"confirmation.subject":  {{"We have your order {order}", "Ihre Bestellung {order} ist eingegangen", "Hemos recibido tu pedido {order}", "Recebemos seu pedido {order}"}},
	"confirmation.title":    {{"Thank you for your order", "Vielen Dank für Ihre Bestellung", "Gracias por tu pedido", "Obrigado pelo seu pedido"}},
	"confirmation.happened": {{"{shop} has received your order {order}.", "{shop} hat Ihre Bestellung {order} erhalten.", "{shop} ha recibido tu pedido {order}.", "A loja {shop} recebeu seu pedido {order}."}},
	"confirmation.next": {
		{"We prepare it now and tell you when it ships. It should arrive {arrives}.", "Wir bereiten sie jetzt vor und melden uns, sobald sie versandt ist. Sie sollte {arrives} ankommen.", "Ahora lo preparamos y te avisamos cuando salga. Debería llegar {arrives}.", "Agora vamos prepará-lo e avisaremos quando for enviado. Ele deve chegar {arrives}."},
		{"We prepare it now and tell you when it ships.", "Wir bereiten sie jetzt vor und melden uns, sobald sie versandt ist.", "Ahora lo preparamos y te avisamos cuando salga.", "Agora vamos prepará-lo e avisaremos quando for enviado."},
	},
	"confirmation.do": {{"Nothing for now. If something is wrong with the order, write to {support} soon.", "Im Moment nichts. Wenn an der Bestellung etwas nicht stimmt, schreiben Sie bitte bald an {support}.", "Por ahora, nada. Si hay algún error en el pedido, escribe pronto a {support}.", "Por enquanto, nada. Se houver algo errado no pedido, escreva logo para {support}."}},
	"confirmation.sms": {
		{"{shop}: we have your order {order}. It should arrive {arrives_short}. {link}", "{shop}: Bestellung {order} ist eingegangen. Ankunft: {arrives_short}. {link}", "{shop}: hemos recibido tu pedido {order}. Llegada: {arrives_short}. {link}", "{shop}: recebemos seu pedido {order}. Chegada: {arrives_short}. {link}"},
		{"{shop}: we have your order {order}. {link}", "{shop}: Bestellung {order} ist eingegangen. {link}", "{shop}: hemos recibido tu pedido {order}. {link}", "{shop}: recebemos seu pedido {order}. {link}"},
	},

	"shipped.subject": {{"Your order {order} is on its way", "Ihre Bestellung {order} ist unterwegs", "Tu pedido {order} está en camino", "Seu pedido {order} está a caminho"}},
	"shipped.title":   {{"On its way", "Unterwegs", "En camino", "A caminho"}},
	"shipped.happened": {
		{"{?many}{n} parcels are now with {carrier}.", "{?many}{n} Pakete sind jetzt bei {carrier}.", "{?many}{n} paquetes ya están con {carrier}.", "{?many}{n} pacotes já estão com {carrier}."},
		{"Your parcel is now with {carrier}.", "Ihr Paket ist jetzt bei {carrier}.", "Tu paquete ya está con {carrier}.", "Seu pacote já está com {carrier}."},
	},
	"shipped.next": {
		{"{?many}They should arrive {arrives}. We tell you when they are out for delivery.", "{?many}Sie sollten {arrives} ankommen. Wir melden uns, sobald sie zugestellt werden.", "{?many}Deberían llegar {arrives}. Te avisamos cuando salgan a reparto.", "{?many}Eles devem chegar {arrives}. Avisaremos quando saírem para entrega."},
		{"It should arrive {arrives}. We tell you when it is out for delivery.", "Es sollte {arrives} ankommen. Wir melden uns, sobald es zugestellt wird.", "Debería llegar {arrives}. Te avisamos cuando salga a reparto.", "Ele deve chegar {arrives}. Avisaremos quando sair para entrega."},
		{"{?many}They travel to your area next. We tell you when they are out for delivery.", "{?many}Sie kommen als Nächstes in Ihre Gegend. Wir melden uns, sobald sie zugestellt werden.", "{?many}Ahora viajan hacia tu zona. Te avisamos cuando salgan a reparto.", "{?many}Agora eles seguem para a sua região. Avisaremos quando saírem para entrega."},
		{"It travels to your area next. We tell you when it is out for delivery.", "Es kommt als Nächstes in Ihre Gegend. Wir melden uns, sobald es zugestellt wird.", "Ahora viaja hacia tu zona. Te avisamos cuando salga a reparto.", "Agora ele segue para a sua região. Avisaremos quando sair para entrega."},
	},
	"shipped.do": {{"Nothing for now. You can follow your order any time.", "Im Moment nichts. Sie können die Bestellung jederzeit verfolgen.", "Por ahora, nada. Puedes seguir tu pedido en todo momento.", "Por enquanto, nada. Você pode acompanhar seu pedido a qualquer momento."}},
	"shipped.sms": {
		{"{shop}: your order {order} is on its way with {carrier}, due {arrives_short}. {link}", "{shop}: Bestellung {order} ist unterwegs mit {carrier}, Ankunft {arrives_short}. {link}", "{shop}: tu pedido {order} está en camino con {carrier}, llegada {arrives_short}. {link}", "{shop}: seu pedido {order} está a caminho com {carrier}, chegada {arrives_short}. {link}"},
		{"{shop}: your order {order} is on its way with {carrier}. {link}", "{shop}: Bestellung {order} ist unterwegs mit {carrier}. {link}", "{shop}: tu pedido {order} está en camino con {carrier}. {link}", "{shop}: seu pedido {order} está a caminho com {carrier}. {link}"},
		{"{shop}: your order {order} is on its way. {link}", "{shop}: Bestellung {order} ist unterwegs. {link}", "{shop}: tu pedido {order} está en camino. {link}", "{shop}: seu pedido {order} está a caminho. {link}"},
	},

	"out_for_delivery.subject": {{"Out for delivery: your order {order}", "In Zustellung: Ihre Bestellung {order}", "En reparto: tu pedido {order}", "Saiu para entrega: seu pedido {order}"}},
	"out_for_delivery.title":   {{"Out for delivery", "In Zustellung", "En reparto", "Saiu para entrega"}},
	"out_for_delivery.happened": {
		{"{?many}{carrier} has {n} parcels on the delivery vehicle.", "{?many}{carrier} hat {n} Pakete im Zustellfahrzeug.", "{?many}{carrier} lleva {n} paquetes en el vehículo de reparto.", "{?many}{carrier} está com {n} pacotes no veículo de entrega."},
		{"{carrier} has your parcel on the delivery vehicle.", "{carrier} hat Ihr Paket im Zustellfahrzeug.", "{carrier} lleva tu paquete en el vehículo de reparto.", "{carrier} está com seu pacote no veículo de entrega."},
	},
	"out_for_delivery.next": {
		{"Expect the delivery today, {day}, between {from} and {to}.", "Die Zustellung erfolgt voraussichtlich heute, {day}, zwischen {from} und {to} Uhr.", "La entrega está prevista para hoy, {day}, entre las {from} y las {to}.", "A entrega está prevista para hoje, {day}, entre {from} e {to}."},
		{"Expect the delivery today, {day}.", "Die Zustellung erfolgt voraussichtlich heute, {day}.", "La entrega está prevista para hoy, {day}.", "A entrega está prevista para hoje, {day}."},
	},
	"out_for_delivery.do": {{"Someone may have to be there to receive it.", "Vielleicht muss jemand da sein, um die Sendung anzunehmen.", "Puede que alguien tenga que estar para recibirlo.", "Pode ser preciso que alguém esteja no local para receber."}},
	"out_for_delivery.sms": {
		{"{shop}: your order {order} comes today {from}-{to} with {carrier}. {link}", "{shop}: Bestellung {order} kommt heute {from}-{to} Uhr mit {carrier}. {link}", "{shop}: tu pedido {order} llega hoy {from}-{to} con {carrier}. {link}", "{shop}: seu pedido {order} chega hoje {from}-{to} com {carrier}. {link}"},
		{"{shop}: your order {order} comes today with {carrier}. {link}", "{shop}: Bestellung {order} kommt heute mit {carrier}. {link}", "{shop}: tu pedido {order} llega hoy con {carrier}. {link}", "{shop}: seu pedido {order} chega hoje com {carrier}. {link}"},
	},

	"delivered.subject": {{"Delivered: your order {order}", "Zugestellt: Ihre Bestellung {order}", "Entregado: tu pedido {order}", "Entregue: seu pedido {order}"}},
	"delivered.title":   {{"Delivered", "Zugestellt", "Entregado", "Entregue"}},
	"delivered.happened": {
		{"{?many}{n} parcels were delivered {at}. Left here: {left}.", "{?many}{n} Pakete wurden {at} zugestellt. Abgelegt: {left}.", "{?many}{n} paquetes se entregaron {at}. Lugar: {left}.", "{?many}{n} pacotes foram entregues {at}. Local: {left}."},
		{"Your parcel was delivered {at}. Left here: {left}.", "Ihr Paket wurde {at} zugestellt. Abgelegt: {left}.", "Tu paquete se entregó {at}. Lugar: {left}.", "Seu pacote foi entregue {at}. Local: {left}."},
		{"{?many}{n} parcels were delivered {at}.", "{?many}{n} Pakete wurden {at} zugestellt.", "{?many}{n} paquetes se entregaron {at}.", "{?many}{n} pacotes foram entregues {at}."},
		{"Your parcel was delivered {at}.", "Ihr Paket wurde {at} zugestellt.", "Tu paquete se entregó {at}.", "Seu pacote foi entregue {at}."},
	},
	"delivered.next": {
		{"{?rest}We tell you when the rest comes.", "{?rest}Wir melden uns, wenn der Rest kommt.", "{?rest}Te avisamos cuando llegue el resto.", "{?rest}Avisaremos quando o restante chegar."},
		{"{?partly}Your order's page shows what became of the rest.", "{?partly}Die Seite Ihrer Bestellung zeigt, was mit dem Rest geschehen ist.", "{?partly}La página de tu pedido muestra qué ha pasado con el resto.", "{?partly}A página do seu pedido mostra o que aconteceu com o restante."},
		{"Your order is complete. Nothing more is to come.", "Ihre Bestellung ist vollständig. Es kommt nichts mehr.", "Tu pedido está completo. No falta nada por llegar.", "Seu pedido está completo. Não falta mais nada."},
	},
	"delivered.do": {{"Not there? Look by the door and in the mailbox, and ask your neighbours. Then write to {support}.", "Nicht da? Sehen Sie an der Tür und im Briefkasten nach und fragen Sie die Nachbarn. Schreiben Sie dann an {support}.", "¿No está? Mira junto a la puerta y en el buzón, y pregunta a tus vecinos. Después escribe a {support}.", "Não está aí? Veja junto à porta e na caixa de correio e pergunte aos vizinhos. Depois escreva para {support}."}},
	"delivered.sms": {
		{"{shop}: your order {order} was delivered ({at_short}). Not there? {link}", "{shop}: Bestellung {order} wurde zugestellt ({at_short}). Nicht da? {link}", "{shop}: tu pedido {order} se ha entregado ({at_short}). ¿No está? {link}", "{shop}: seu pedido {order} foi entregue ({at_short}). Não está aí? {link}"},
		{"{shop}: your order {order} was delivered. {link}", "{shop}: Bestellung {order} wurde zugestellt. {link}", "{shop}: tu pedido {order} se ha entregado. {link}", "{shop}: seu pedido {order} foi entregue. {link}"},
	},

	"attempt_failed.subject":  {{"Delivery attempted: your order {order}", "Zustellversuch: Ihre Bestellung {order}", "Intento de entrega: tu pedido {order}", "Tentativa de entrega: seu pedido {order}"}},
	"attempt_failed.title":    {{"Delivery attempted", "Zustellung nicht möglich", "Intento de entrega", "Tentativa de entrega"}},
	"attempt_failed.happened": {{"{carrier} tried to deliver your parcel {at} but could not hand it over. {reason}", "{carrier} hat {at} versucht, Ihr Paket zuzustellen, konnte es aber nicht übergeben. {reason}", "{carrier} intentó entregar tu paquete {at}, pero no pudo. {reason}", "{carrier} tentou entregar seu pacote {at}, mas não conseguiu. {reason}"}},
	"attempt_failed.next": {
		{"The next attempt is planned {arrives}.", "Der nächste Versuch ist {arrives} geplant.", "El próximo intento está previsto {arrives}.", "A próxima tentativa está prevista {arrives}."},
		{"Your parcel is kept {until}. After that it goes back.", "Ihr Paket wird {until} aufbewahrt. Danach geht es zurück.", "Tu paquete se guarda {until}. Después se devuelve.", "Seu pacote fica guardado {until}. Depois ele será devolvido."},
		{"{?stuck}Without your answer the parcel goes back.", "{?stuck}Ohne Ihre Antwort geht das Paket zurück.", "{?stuck}Sin tu respuesta, el paquete se devuelve.", "{?stuck}Sem a sua resposta, o pacote será devolvido."},
		{"Usually there is another attempt on the next working day.", "Meist folgt am nächsten Werktag ein weiterer Versuch.", "Lo habitual es otro intento el siguiente día laborable.", "Normalmente há outra tentativa no próximo dia útil."},
	},
	"attempt_failed.do": {{"Please choose what suits you:", "Bitte wählen Sie, was Ihnen passt:", "Elige lo que te venga mejor:", "Escolha o que for melhor para você:"}},
	"attempt_failed.sms": {
		{"{shop}: {carrier} could not deliver your order {order}. Please choose what happens next: {link}", "{shop}: {carrier} konnte Bestellung {order} nicht zustellen. Bitte wählen Sie, wie es weitergeht: {link}", "{shop}: {carrier} no pudo entregar tu pedido {order}. Elige cómo seguir: {link}", "{shop}: {carrier} não conseguiu entregar seu pedido {order}. Escolha como seguir: {link}"},
		{"{shop}: your order {order} could not be delivered: {link}", "{shop}: Bestellung {order} nicht zugestellt: {link}", "{shop}: tu pedido {order} no se pudo entregar: {link}", "{shop}: seu pedido {order} não pôde ser entregue: {link}"},
	},

	"delayed.subject": {
		{"{?maybe}Your order {order} may come later", "{?maybe}Ihre Bestellung {order} kommt vielleicht später", "{?maybe}Tu pedido {order} puede retrasarse", "{?maybe}Seu pedido {order} pode atrasar"},
		{"Your order {order} comes later", "Ihre Bestellung {order} kommt später", "Tu pedido {order} llegará más tarde", "Seu pedido {order} vai atrasar"},
	},
	"delayed.title": {
		{"{?maybe}It may take longer", "{?maybe}Es kann länger dauern", "{?maybe}Puede tardar más", "{?maybe}Pode demorar mais"},
		{"Later than promised", "Später als versprochen", "Más tarde de lo prometido", "Depois do prometido"},
	},
	"delayed.happened": {
		{"{?maybe}Your order {order} may come later than promised. We are sorry. {reason}", "{?maybe}Ihre Bestellung {order} kommt vielleicht später als versprochen. Das tut uns leid. {reason}", "{?maybe}Tu pedido {order} puede llegar más tarde de lo prometido. Lo sentimos. {reason}", "{?maybe}Seu pedido {order} pode chegar depois do prometido. Sentimos muito. {reason}"},
		{"Your order {order} comes later than promised. We are sorry. {reason}", "Ihre Bestellung {order} kommt später als versprochen. Das tut uns leid. {reason}", "Tu pedido {order} llegará más tarde de lo prometido. Lo sentimos. {reason}", "Seu pedido {order} vai chegar depois do prometido. Sentimos muito. {reason}"},
	},
	"delayed.next": {
		{"{?unsure}We look into it and tell you as soon as we know the new day.", "{?unsure}Wir gehen dem nach und melden uns, sobald wir den neuen Tag kennen.", "{?unsure}Lo estamos averiguando y te avisamos en cuanto sepamos el nuevo día.", "{?unsure}Estamos verificando e avisaremos assim que soubermos o novo dia."},
		{"It should now arrive {arrives}.", "Sie sollte nun {arrives} ankommen.", "Ahora debería llegar {arrives}.", "Agora ele deve chegar {arrives}."},
	},
	"delayed.do": {{"Nothing for now. If that is too late for you, write to {support}.", "Im Moment nichts. Wenn Ihnen das zu spät ist, schreiben Sie an {support}.", "Por ahora, nada. Si es demasiado tarde para ti, escribe a {support}.", "Por enquanto, nada. Se for tarde demais para você, escreva para {support}."}},
	"delayed.sms": {
		{"{?maybe}{shop}: your order {order} may be late, we are sorry. We look into it: {link}", "{?maybe}{shop}: Bestellung {order} kommt vielleicht später. Wir gehen dem nach: {link}", "{?maybe}{shop}: tu pedido {order} puede retrasarse, lo sentimos. Lo averiguamos: {link}", "{?maybe}{shop}: seu pedido {order} pode atrasar, sentimos muito. Verificando: {link}"},
		{"{?unsure}{shop}: your order {order} is late, we are sorry. We look into it: {link}", "{?unsure}{shop}: Bestellung {order} kommt leider später. Wir gehen dem nach: {link}", "{?unsure}{shop}: tu pedido {order} se retrasa, lo sentimos. Lo averiguamos: {link}", "{?unsure}{shop}: seu pedido {order} atrasou, sentimos muito. Verificando: {link}"},
		{"{shop}: your order {order} is late, we are sorry. New date: {arrives_short}. {link}", "{shop}: Bestellung {order} kommt leider später: {arrives_short}. {link}", "{shop}: tu pedido {order} se retrasa, lo sentimos. Nueva fecha: {arrives_short}. {link}", "{shop}: seu pedido {order} atrasou, sentimos muito. Nova data: {arrives_short}. {link}"},
	},

	"ready_for_pickup.subject": {{"Ready for pickup: your order {order}", "Abholbereit: Ihre Bestellung {order}", "Listo para recoger: tu pedido {order}", "Pronto para retirada: seu pedido {order}"}},
	"ready_for_pickup.title":   {{"Ready for pickup", "Abholbereit", "Listo para recoger", "Pronto para retirada"}},
	"ready_for_pickup.happened": {
		{"{?many}{n} parcels are waiting for you: {place}.", "{?many}{n} Pakete warten auf Sie: {place}.", "{?many}{n} paquetes te esperan: {place}.", "{?many}{n} pacotes esperam por você: {place}."},
		{"Your parcel is waiting for you: {place}.", "Ihr Paket wartet auf Sie: {place}.", "Tu paquete te espera: {place}.", "Seu pacote espera por você: {place}."},
	},
	"ready_for_pickup.next": {{"You can collect it {until}. After that it goes back.", "Sie können die Sendung {until} abholen. Danach geht sie zurück.", "Puedes recogerlo {until}. Después se devuelve.", "Você pode retirar {until}. Depois será devolvido."}},
	"ready_for_pickup.do": {
		{"Collect it with this code: {code}.", "Holen Sie die Sendung mit diesem Code ab: {code}.", "Recógelo con este código: {code}.", "Retire com este código: {code}."},
		{"Collect it and bring an ID.", "Holen Sie die Sendung ab und bringen Sie einen Ausweis mit.", "Recógelo con un documento de identidad.", "Retire com um documento de identidade."},
	},
	"ready_for_pickup.sms": {
		{"{shop}: collect your order {order} {until_short}, code {code}: {place_name}. {link}", "{shop}: Bestellung {order} abholen {until_short}, Code {code}: {place_name}. {link}", "{shop}: recoge tu pedido {order} {until_short}, código {code}: {place_name}. {link}", "{shop}: retire seu pedido {order} {until_short}, código {code}: {place_name}. {link}"},
		{"{shop}: collect your order {order} {until_short}, code {code}. {link}", "{shop}: Bestellung {order} abholen {until_short}, Code {code}. {link}", "{shop}: recoge tu pedido {order} {until_short}, código {code}. {link}", "{shop}: retire seu pedido {order} {until_short}, código {code}. {link}"},
		{"{shop}: collect your order {order} {until_short}: {place_name}. {link}", "{shop}: Bestellung {order} abholen {until_short}: {place_name}. {link}", "{shop}: recoge tu pedido {order} {until_short}: {place_name}. {link}", "{shop}: retire seu pedido {order} {until_short}: {place_name}. {link}"},
	},

	"address_problem.subject":  {{"Please check the address of your order {order}", "Bitte prüfen Sie die Adresse Ihrer Bestellung {order}", "Revisa la dirección de tu pedido {order}", "Verifique o endereço do seu pedido {order}"}},
	"address_problem.title":    {{"We need the right address", "Wir brauchen die richtige Adresse", "Necesitamos la dirección correcta", "Precisamos do endereço correto"}},
	"address_problem.happened": {{"Your order {order} cannot be delivered: its address was not found or is not complete.", "Ihre Bestellung {order} kann nicht zugestellt werden: Die Adresse wurde nicht gefunden oder ist unvollständig.", "Tu pedido {order} no se puede entregar: la dirección no se ha encontrado o está incompleta.", "Seu pedido {order} não pode ser entregue: o endereço não foi encontrado ou está incompleto."}},
	"address_problem.next": {
		{"It waits for your answer {until}. Without one it cannot be delivered.", "Sie wartet {until} auf Ihre Antwort. Ohne sie ist keine Zustellung möglich.", "Espera tu respuesta {until}. Sin ella no se puede entregar.", "Ele espera sua resposta {until}. Sem ela não pode ser entregue."},
		{"It waits for your answer.", "Sie wartet auf Ihre Antwort.", "Espera tu respuesta.", "Ele espera sua resposta."},
	},
	"address_problem.do": {{"Please correct the address:", "Bitte berichtigen Sie die Adresse:", "Corrige la dirección:", "Corrija o endereço:"}},
	"address_problem.sms": {
		{"{shop}: we cannot deliver your order {order}. Please check the address {by_short}: {link}", "{shop}: Bestellung {order} ist nicht zustellbar. Bitte Adresse {by_short} prüfen: {link}", "{shop}: no podemos entregar tu pedido {order}. Revisa la dirección {by_short}: {link}", "{shop}: não podemos entregar seu pedido {order}. Verifique o endereço {by_short}: {link}"},
		{"{shop}: we cannot deliver your order {order}. Please check the address: {link}", "{shop}: Bestellung {order} ist nicht zustellbar. Bitte Adresse prüfen: {link}", "{shop}: no podemos entregar tu pedido {order}. Revisa la dirección: {link}", "{shop}: não podemos entregar seu pedido {order}. Verifique o endereço: {link}"},
	},

	"return_steps.subject":  {{"How to send back: your order {order}", "So geht Ihre Rücksendung: Bestellung {order}", "Cómo devolver tu pedido {order}", "Como devolver seu pedido {order}"}},
	"return_steps.title":    {{"Your return", "Ihre Rücksendung", "Tu devolución", "Sua devolução"}},
	"return_steps.happened": {{"Your return for order {order} is registered.", "Ihre Rücksendung zur Bestellung {order} ist angemeldet.", "Tu devolución del pedido {order} está registrada.", "Sua devolução do pedido {order} está registrada."}},
	"return_steps.next":     {{"We check the items when they arrive and tell you what comes of it.", "Wir prüfen die Artikel, sobald sie ankommen, und melden uns mit dem Ergebnis.", "Revisaremos los artículos cuando lleguen y te diremos el resultado.", "Vamos verificar os itens quando chegarem e avisaremos o resultado."}},
	"return_steps.do":       {{"Three steps, please:", "Bitte drei Schritte:", "Tres pasos:", "Três passos:"}},
	"return_steps.step1":    {{"Pack the items so that nothing can break.", "Verpacken Sie die Artikel so, dass nichts zerbrechen kann.", "Embala los artículos para que nada se rompa.", "Embale os itens para que nada quebre."}},
	"return_steps.step2": {
		{"{?label}Print the return label and stick it over the old one.", "{?label}Drucken Sie das Rücksendeetikett aus und kleben Sie es über das alte.", "{?label}Imprime la etiqueta de devolución y pégala sobre la anterior.", "{?label}Imprima a etiqueta de devolução e cole sobre a antiga."},
		{"Show this code at the counter: {code}.", "Zeigen Sie diesen Code am Schalter: {code}.", "Muestra este código en el mostrador: {code}.", "Mostre este código no balcão: {code}."},
	},
	"return_steps.step3": {
		{"Hand the parcel over {by}: {place} ({carrier}).", "Geben Sie das Paket {by} ab: {place} ({carrier}).", "Entrega el paquete {by}: {place} ({carrier}).", "Entregue o pacote {by}: {place} ({carrier})."},
		{"Hand the parcel over to {carrier} {by}.", "Geben Sie das Paket {by} bei {carrier} ab.", "Entrega el paquete a {carrier} {by}.", "Entregue o pacote a {carrier} {by}."},
	},
	"return_steps.sms": {{"{shop}: your return for order {order}: send it {by_short}. Steps: {link}", "{shop}: Rücksendung zu Bestellung {order} bitte {by_short} abgeben. So geht's: {link}", "{shop}: tu devolución del pedido {order}: envíala {by_short}. Pasos: {link}", "{shop}: sua devolução do pedido {order}: envie {by_short}. Passos: {link}"}},

	"refund_released.subject":  {{"Your refund for order {order}: {amount}", "Ihre Erstattung zur Bestellung {order}: {amount}", "Tu reembolso del pedido {order}: {amount}", "Seu reembolso do pedido {order}: {amount}"}},
	"refund_released.title":    {{"Refund released", "Erstattung freigegeben", "Reembolso emitido", "Reembolso liberado"}},
	"refund_released.happened": {{"We have released your refund of {amount} for order {order}.", "Wir haben Ihre Erstattung von {amount} zur Bestellung {order} freigegeben.", "Hemos emitido tu reembolso de {amount} del pedido {order}.", "Liberamos seu reembolso de {amount} do pedido {order}."}},
	"refund_released.next":     {{"It goes back the way you paid. Depending on your bank it can take some days until you see it.", "Sie geht auf dem Weg zurück, auf dem Sie bezahlt haben. Je nach Bank kann es einige Tage dauern, bis Sie sie sehen.", "Vuelve por el mismo medio con el que pagaste. Según tu banco, puede tardar unos días en aparecer.", "Ele volta pelo mesmo meio com que você pagou. Dependendo do banco, pode levar alguns dias até aparecer."}},
	"refund_released.do":       {{"Nothing for now. Not there after two weeks? Write to {support}.", "Im Moment nichts. Nach zwei Wochen nicht da? Schreiben Sie an {support}.", "Por ahora, nada. ¿No está después de dos semanas? Escribe a {support}.", "Por enquanto, nada. Não apareceu depois de duas semanas? Escreva para {support}."}},
	"refund_released.sms":      {{"{shop}: your refund of {amount} for order {order} is released. Your bank may need some days. {link}", "{shop}: Ihre Erstattung von {amount} zu Bestellung {order} ist freigegeben. {link}", "{shop}: hemos emitido tu reembolso de {amount} del pedido {order}. {link}", "{shop}: seu reembolso de {amount} do pedido {order} foi liberado. {link}"}},

	"not_received_followup.subject":  {{"We are looking for your parcel: order {order}", "Wir suchen Ihr Paket: Bestellung {order}", "Estamos buscando tu paquete: pedido {order}", "Estamos procurando seu pacote: pedido {order}"}},
	"not_received_followup.title":    {{"We are looking for your parcel", "Wir suchen Ihr Paket", "Estamos buscando tu paquete", "Estamos procurando seu pacote"}},
	"not_received_followup.happened": {{"You told us that your parcel has not reached you. We have asked {carrier} where it is.", "Sie haben uns gesagt, dass Ihr Paket nicht angekommen ist. Wir haben bei {carrier} nachgefragt.", "Nos dijiste que tu paquete no te ha llegado. Hemos preguntado a {carrier} dónde está.", "Você nos disse que seu pacote não chegou. Perguntamos a {carrier} onde ele está."}},
	"not_received_followup.next":     {{"You hear from us {by}, also if nothing was found.", "Sie hören {by} von uns, auch wenn nichts gefunden wurde.", "Tendrás noticias nuestras {by}, aunque no se haya encontrado nada.", "Você terá notícias nossas {by}, mesmo que nada seja encontrado."}},
	"not_received_followup.do":       {{"Please look once more by the door, in the mailbox and with your neighbours. If it has turned up, tell us:", "Sehen Sie bitte noch einmal an der Tür, im Briefkasten und bei den Nachbarn nach. Wenn es da ist, sagen Sie es uns:", "Mira una vez más junto a la puerta, en el buzón y con tus vecinos. Si ha aparecido, dínoslo:", "Veja mais uma vez junto à porta, na caixa de correio e com os vizinhos. Se ele apareceu, avise:"}},
	"not_received_followup.sms": {
		{"{shop}: we are looking for your parcel (order {order}). You hear from us {by_short}. Found it? {link}", "{shop}: Wir suchen Ihr Paket (Bestellung {order}). Antwort {by_short}. Doch da? {link}", "{shop}: buscamos tu paquete (pedido {order}). Te avisamos {by_short}. ¿Ha aparecido? {link}", "{shop}: procuramos seu pacote (pedido {order}). Avisamos {by_short}. Apareceu? {link}"},
	},

	// What every mail has.
	"hello": {{"Hello {name},", "Hallo {name},", "Hola, {name}:", "Olá, {name}!"}, {"Hello,", "Guten Tag,", "Hola:", "Olá!"}},
	"next":  {{"What happens next", "Wie es weitergeht", "Qué pasa ahora", "O que acontece agora"}},
	"do":    {{"What you can do", "Was Sie tun können", "Qué puedes hacer", "O que você pode fazer"}},
	"rest": {
		{"{?rest1}One more parcel of this order is still to come.", "{?rest1}Ein weiteres Paket dieser Bestellung kommt noch.", "{?rest1}Aún falta un paquete de este pedido.", "{?rest1}Ainda falta um pacote deste pedido."},
		{"{?rest}{rest} more parcels of this order are still to come.", "{?rest}{rest} weitere Pakete dieser Bestellung kommen noch.", "{?rest}Aún faltan {rest} paquetes de este pedido.", "{?rest}Ainda faltam {rest} pacotes deste pedido."},
		{"", "", "", ""},
	},
	"follow":      {{"Follow your order", "Bestellung verfolgen", "Seguir mi pedido", "Acompanhar o pedido"}},
	"proof":       {{"See the proof of delivery", "Zustellnachweis ansehen", "Ver la prueba de entrega", "Ver o comprovante de entrega"}},
	"why":         {{"You receive this because you ordered at {shop}.", "Sie erhalten diese Nachricht, weil Sie bei {shop} bestellt haben.", "Recibes este mensaje porque compraste en {shop}.", "Você recebe esta mensagem porque comprou na loja {shop}."}},
	"questions":   {{"Questions? {support}", "Fragen? {support}", "¿Preguntas? {support}", "Dúvidas? {support}"}},
	"unsubscribe": {{"Choose what we tell you, or unsubscribe", "Nachrichten auswählen oder abbestellen", "Elegir qué avisos recibes o darte de baja", "Escolher quais avisos receber ou cancelar"}},
	"more":        {{"and {more} more", "und {more} weitere", "y {more} más", "e mais {more}"}},

	"fact.order":    {{"Order", "Bestellung", "Pedido", "Pedido"}},
	"fact.tracking": {{"Tracking number", "Sendungsnummer", "Número de seguimiento", "Código de rastreio"}},
	"fact.items":    {{"Items", "Artikel", "Artículos", "Itens"}},
	"fact.total":    {{"Total", "Summe", "Total", "Total"}},
	"fact.expected": {{"Expected", "Voraussichtlich", "Previsto", "Previsto"}},
	"fact.code":     {{"Pickup code", "Abholcode", "Código de recogida", "Código de retirada"}},
	"fact.until":    {{"Until", "Bis", "Hasta", "Até"}},
	"fact.place":    {{"Where", "Wo", "Dónde", "Onde"}},

	"choice.reschedule":      {{"Choose another day", "Anderen Tag wählen", "Elegir otro día", "Escolher outro dia"}},
	"choice.pickup_point":    {{"Collect at a pickup point", "In einer Filiale abholen", "Recoger en un punto de entrega", "Retirar em um ponto de coleta"}},
	"choice.safe_place":      {{"Name a safe place", "Ablageort nennen", "Indicar un lugar seguro", "Indicar um lugar seguro"}},
	"choice.neighbour":       {{"Leave it with a neighbour", "Beim Nachbarn abgeben", "Dejarlo con un vecino", "Deixar com um vizinho"}},
	"choice.correct_address": {{"Correct the address", "Adresse berichtigen", "Corregir la dirección", "Corrigir o endereço"}},
	"choice.print_label":     {{"Print the return label", "Rücksendeetikett drucken", "Imprimir la etiqueta", "Imprimir a etiqueta"}},
	"choice.found_it":        {{"It has turned up", "Es ist da", "Ha aparecido", "Ele apareceu"}},
	"choice.not_received":    {{"It is not there", "Es ist nicht da", "No está", "Não está aqui"}},
	"choice.send_back":       {{"Send something back", "Etwas zurücksenden", "Devolver algo", "Devolver algo"}},
	"choice.contact":         {{"Write to us", "Uns schreiben", "Escribirnos", "Escrever para nós"}},

	"reason.recipient_unavailable": {{"Nobody was there to receive it.", "Niemand war da, um es anzunehmen.", "No había nadie para recibirlo.", "Não havia ninguém para receber."}},
	"reason.business_closed":       {{"The business was closed.", "Das Geschäft war geschlossen.", "El negocio estaba cerrado.", "O estabelecimento estava fechado."}},
	"reason.refused":               {{"It was refused at the door.", "Die Annahme wurde verweigert.", "Se rechazó en la puerta.", "Foi recusado na porta."}},
	"reason.address":               {{"The address was not found or is not complete.", "Die Adresse wurde nicht gefunden oder ist unvollständig.", "La dirección no se encontró o está incompleta.", "O endereço não foi encontrado ou está incompleto."}},
	"reason.access":                {{"The driver could not get to the door.", "Der Fahrer kam nicht bis zur Tür.", "El repartidor no pudo llegar a la puerta.", "O entregador não conseguiu chegar até a porta."}},
	"reason.signature_id":          {{"A signature or an ID was needed.", "Es fehlte eine Unterschrift oder ein Ausweis.", "Hacía falta una firma o un documento de identidad.", "Era preciso uma assinatura ou um documento."}},
	"reason.payment":               {{"A payment is due.", "Eine Zahlung steht noch aus.", "Hay un pago pendiente.", "Há um pagamento pendente."}},
	"reason.weather":               {{"Bad weather is the reason.", "Der Grund ist schlechtes Wetter.", "El motivo es el mal tiempo.", "O motivo é o mau tempo."}},
	"reason.customs":               {{"Customs has not released it yet.", "Der Zoll hat die Sendung noch nicht freigegeben.", "La aduana aún no lo ha liberado.", "A alfândega ainda não liberou."}},
	"reason.carrier_delay":         {{"The delivery company is running late.", "Der Paketdienst ist in Verzug.", "La empresa de reparto va con retraso.", "A transportadora está atrasada."}},
	"reason.warehouse":             {{"Packing took longer than planned.", "Das Packen hat länger gedauert als geplant.", "La preparación ha tardado más de lo previsto.", "A preparação demorou mais do que o previsto."}},
	"reason.unknown":               {{"We do not know the reason yet.", "Den Grund kennen wir noch nicht.", "Aún no conocemos el motivo.", "Ainda não sabemos o motivo."}},
}
