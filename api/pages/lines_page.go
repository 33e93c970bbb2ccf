package pages

import "github.com/waybillhq/waybill/internal/speech"

// pageLines are the labels of the buyers' pages, and what is said of days.
var pageLines = map[string][]speech.Line{
	"day.today":     {{"today", "heute", "hoy", "hoje"}},
	"day.tomorrow":  {{"tomorrow", "morgen", "mañana", "amanhã"}},
	"day.yesterday": {{"yesterday", "gestern", "ayer", "ontem"}},
	"day.named":     {{"{word}, {day}", "{word}, {day}", "{word}, {day}", "{word}, {day}"}},

	"page.title":        {{"{status} · Order {number} · {shop}", "{status} · Bestellung {number} · {shop}", "{status} · Pedido {number} · {shop}", "{status} · Pedido {number} · {shop}"}},
	"page.order":        {{"Order", "Bestellung", "Pedido", "Pedido"}},
	"page.contact":      {{"Order {number}", "Bestellung {number}", "Pedido {number}", "Pedido {number}"}},
	"page.parcels":      {{"Parcels", "Pakete", "Paquetes", "Pacotes"}},
	"page.progress":     {{"Progress", "Fortschritt", "Progreso", "Andamento"}},
	"page.next":         {{"What next", "Wie es weitergeht", "Qué pasa ahora", "O que acontece agora"}},
	"page.parcel":       {{"Parcel {i} of {n}", "Paket {i} von {n}", "Paquete {i} de {n}", "Pacote {i} de {n}"}, {"Your parcel", "Ihr Paket", "Tu paquete", "Seu pacote"}},
	"page.expected":     {{"Expected", "Voraussichtlich", "Previsto", "Previsto"}},
	"page.appointment":  {{"Delivery appointment", "Zustelltermin", "Cita de entrega", "Entrega agendada"}},
	"page.carrier":      {{"Carrier", "Paketdienst", "Empresa de reparto", "Transportadora"}},
	"page.tracking":     {{"Tracking number", "Sendungsnummer", "Número de seguimiento", "Código de rastreio"}},
	"page.open_at":      {{"Open at {carrier}", "Bei {carrier} ansehen", "Ver en {carrier}", "Ver em {carrier}"}},
	"page.quantity":     {{"of", "Stück", "de", "de"}}, // read aloud between 2 and the item
	"page.more_items":   {{"{n} more items", "{n} weitere Artikel", "{n} artículos más", "Mais {n} itens"}},
	"page.story":        {{"What happened", "Was geschehen ist", "Qué ha pasado", "O que aconteceu"}},
	"page.earlier":      {{"{n} earlier updates", "{n} frühere Meldungen", "{n} novedades anteriores", "{n} atualizações anteriores"}},
	"page.loose":        {{"Not in a parcel yet", "Noch in keinem Paket", "Aún sin paquete", "Ainda sem pacote"}},
	"page.questions":    {{"Questions?", "Fragen?", "¿Preguntas?", "Dúvidas?"}},
	"page.glad_to_help": {{"{shop} is happy to help. Have your order number at hand:", "{shop} hilft Ihnen gern. Halten Sie Ihre Bestellnummer bereit:", "{shop} te ayuda con gusto. Ten a mano tu número de pedido:", "A loja {shop} terá prazer em ajudar. Tenha em mãos o número do pedido:"}},
	"page.ask":          {{"Please contact {shop} and give your order number:", "Bitte wenden Sie sich an {shop} und nennen Sie Ihre Bestellnummer:", "Contacta con {shop} e indica tu número de pedido:", "Fale com a loja {shop} e informe o número do pedido:"}},
	"page.mail":         {{"E-mail {shop}", "E-Mail an {shop}", "Escribir a {shop}", "Escrever para {shop}"}},
	"page.help":         {{"Help from {shop}", "Hilfe von {shop}", "Ayuda de {shop}", "Ajuda de {shop}"}},
	"page.as_of":        {{"As of", "Stand:", "Actualizado:", "Atualizado:"}},
	"page.reload":       {{"Reload for news. Anyone with this link can see this page, so share it with care.", "Laden Sie neu, um Neues zu sehen. Wer diesen Link hat, kann diese Seite sehen: Geben Sie ihn mit Bedacht weiter.", "Recarga la página para ver novedades. Quien tenga este enlace puede ver esta página: compártelo con cuidado.", "Recarregue a página para ver novidades. Quem tiver este link pode ver esta página: compartilhe com cuidado."}},
	"page.languages":    {{"Language", "Sprache", "Idioma", "Idioma"}},
	"page.do":           {{"What you can do", "Was Sie tun können", "Qué puedes hacer", "O que você pode fazer"}},

	"nothing.title": {{"No order here", "Hier ist keine Bestellung", "Aquí no hay ningún pedido", "Nenhum pedido aqui"}},
	"nothing.what":  {{"This link does not lead to an order. It may be incomplete, or no longer valid.", "Dieser Link führt zu keiner Bestellung. Vielleicht ist er unvollständig oder nicht mehr gültig.", "Este enlace no lleva a ningún pedido. Puede que esté incompleto o que ya no sea válido.", "Este link não leva a nenhum pedido. Talvez esteja incompleto ou não seja mais válido."}},
	"nothing.do":    {{"Open the link from your latest message again, whole. If that does not help, ask the shop you bought from for a new one.", "Öffnen Sie den Link aus Ihrer letzten Nachricht noch einmal, und zwar vollständig. Wenn das nicht hilft, bitten Sie den Shop, bei dem Sie gekauft haben, um einen neuen.", "Abre otra vez, completo, el enlace de tu último mensaje. Si no funciona, pide uno nuevo a la tienda en la que compraste.", "Abra de novo, por inteiro, o link da sua última mensagem. Se não funcionar, peça um novo à loja em que você comprou."}},

	"later.title": {{"Back in a moment", "Gleich wieder da", "Volvemos enseguida", "Voltamos já"}},
	"later.what":  {{"We cannot look up your order right now. Nothing is wrong with the order itself.", "Wir können Ihre Bestellung gerade nicht abrufen. Mit der Bestellung selbst ist alles in Ordnung.", "Ahora mismo no podemos consultar tu pedido. Al pedido no le pasa nada.", "Não conseguimos consultar seu pedido agora. Com o pedido em si está tudo bem."}},
	"later.do":    {{"Reload this page in a minute.", "Laden Sie diese Seite in einer Minute neu.", "Recarga esta página dentro de un minuto.", "Recarregue esta página daqui a um minuto."}},

	"wishes.title":    {{"Messages from {shop}", "Nachrichten von {shop}", "Mensajes de {shop}", "Mensagens de {shop}"}},
	"wishes.erased":   {{"No more messages", "Keine Nachrichten mehr", "No habrá más mensajes", "Não haverá mais mensagens"}},
	"wishes.nobody":   {{"Your personal data was deleted, so nobody writes to you about this order any more. There is nothing to choose.", "Ihre persönlichen Daten wurden gelöscht, deshalb schreibt Ihnen zu dieser Bestellung niemand mehr. Es gibt nichts auszuwählen.", "Tus datos personales se han borrado, así que nadie te escribirá más sobre este pedido. No hay nada que elegir.", "Seus dados pessoais foram apagados, por isso ninguém mais escreverá a você sobre este pedido. Não há nada a escolher."}},
	"wishes.yours":    {{"Your messages", "Ihre Nachrichten", "Tus mensajes", "Suas mensagens"}},
	"wishes.choose":   {{"Choose what you hear from {shop} about this order and later ones.", "Wählen Sie, was Sie von {shop} zu dieser und zu späteren Bestellungen hören.", "Elige qué avisos recibes de {shop} sobre este pedido y los siguientes.", "Escolha quais avisos receber da loja {shop} sobre este pedido e os próximos."}},
	"wishes.saved":    {{"Saved. It holds from the next message on.", "Gespeichert. Es gilt ab der nächsten Nachricht.", "Guardado. Vale a partir del próximo mensaje.", "Salvo. Vale a partir da próxima mensagem."}},
	"wishes.what":     {{"What do you want to hear?", "Was möchten Sie hören?", "¿Qué quieres recibir?", "O que você quer receber?"}},
	"wishes.how":      {{"How?", "Auf welchem Weg?", "¿Por qué medio?", "Por qual meio?"}},
	"wishes.language": {{"In which language?", "In welcher Sprache?", "¿En qué idioma?", "Em que idioma?"}},
	"wishes.save":     {{"Save", "Speichern", "Guardar", "Salvar"}},
	"wishes.link":     {{"This link is yours: whoever has it can change these choices.", "Dieser Link gehört Ihnen: Wer ihn hat, kann diese Auswahl ändern.", "Este enlace es tuyo: quien lo tenga puede cambiar estas opciones.", "Este link é seu: quem o tiver pode mudar estas escolhas."}},

	"wishes.all":        {{"Every step: shipped, out for delivery, delivered, and when something is wrong", "Jeden Schritt: versandt, in Zustellung, zugestellt, und wenn etwas nicht stimmt", "Cada paso: enviado, en reparto, entregado, y cuando algo va mal", "Cada etapa: enviado, saiu para entrega, entregue, e quando algo der errado"}},
	"wishes.important":  {{"Only what needs me, or changes the day", "Nur, wenn ich etwas tun muss oder sich der Tag ändert", "Solo cuando tengo que hacer algo o cambia el día", "Só quando eu precisar fazer algo ou o dia mudar"}},
	"wishes.none":       {{"Nothing but confirmations of orders, returns and refunds", "Nur Bestätigungen zu Bestellungen, Rücksendungen und Erstattungen", "Solo confirmaciones de pedidos, devoluciones y reembolsos", "Só confirmações de pedidos, devoluções e reembolsos"}},
	"wishes.any":        {{"As the shop does it", "Wie es der Shop vorsieht", "Como prefiera la tienda", "Como a loja preferir"}},
	"wishes.email":      {{"By e-mail where possible", "Möglichst per E-Mail", "Por correo electrónico si es posible", "Por e-mail, se possível"}},
	"wishes.sms":        {{"By text message where possible", "Möglichst per SMS", "Por SMS si es posible", "Por SMS, se possível"}},
	"wishes.as_ordered": {{"As ordered", "Wie bei der Bestellung", "Como en el pedido", "Como no pedido"}},
}
