/**
 * Sentences of call centres with places for words: {N} a person's name in any form, {F} a given name, {L} a surname; of nobody: {O} an organisation called
 * after one, {C} a city or country, {P} a product or brand, {M} a month or day, {W} any word, {K} a number. What is a name is told by the sentence alone.
 */
const lines = (text: string): readonly string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim());

/** With a person's name. */
export const NAMED = lines(`
  my name is {N}
  {N}
  hi, my name is {N} and I am calling about my bill
  this is {N}
  this is {N} speaking, how can I help you today
  hello, this is {N} from {O}
  thank you for calling {O}, my name is {F}, how may I help
  you are speaking with {N}
  I'm {N}, I called yesterday
  it's {N} here
  yes, {F} here
  {N} speaking
  {N} here, good morning
  am I speaking with {N}
  can I speak to {N} please
  could you put me through to {N}
  I would like to talk to {F} again
  I spoke to {N} last week and nothing happened
  yesterday {F} told me that the refund was on its way
  {F} told me it would be fixed by {M}
  {F} said that somebody would call me back
  somebody called {N} promised to call me back
  an agent named {N} hung up on me
  the last time {F} helped me and it worked
  {F} was very helpful, thank her for me
  your colleague {F} was very rude to me
  the technician, {N}, never came
  the engineer's name was {N} I think
  I want to make a complaint about {N}
  please note that {N} can also use this account
  the account is in the name of {N}
  the account is under {N}
  it should be under {L}
  it is under {F} {L}, not {F} {L}
  the booking is for {N} and {N}
  it was booked by {N}
  the card belongs to {N}
  the parcel was signed for by {N}
  the parcel was left with {N} next door
  my husband {F} set it up
  my wife {F} pays the bills
  my son {F} uses the phone
  my daughter {F} lives in {C} now
  my mother {N} passed away in {M}
  my father is {N}
  my brother {F} works at {O}
  my neighbour {F} has the same problem
  our manager {N} will sign it
  I am calling on behalf of {N}
  I am calling for my grandmother, {N}
  he is called {N}
  she is called {N}
  her name is {N}
  his name was {F} something
  the name is {L}, first name {F}
  first name {F}, last name {L}
  last name {L}
  that is {F} with a C
  ok {F}, thank you so much
  thanks {F}, have a nice day
  thank you {F}
  sorry {F}, I did not get that
  hi {F}
  hello {F}, how are you
  good morning {F}
  good afternoon Mr {L}
  yes Mrs {L}, I can see your order
  dear {N}, I can confirm the change
  all right {F}, let me check that for you
  bye {F}
  well {F}, I have to say that I am disappointed
  listen {F}, this is the third time I call
  no problem {F}
  {F}, are you still there
  {F}, can you hear me
  let me transfer you to {F} in billing
  I will connect you with my supervisor {N}
  {F} and {F} will both be there
  {F} will call you tomorrow morning
  {F} will be there at {K}
  will {F} come on {M}
  did {F} send the form
  has {F} paid the invoice
  is {F} in the office today
  when does {F} come back
  where is {F}
  ask {F}, she knows about it
  I gave it to {F}
  I sent the documents to {N} on {M}
  I got an email from {N}
  the email was signed {N}
  {F}'s phone does not work
  {F}'s order has not arrived
  I need to change {F}'s address
  {F} has lost the card
  {F} has moved to {C}
  {F} is my husband
  {F} is the account holder
  {F} is on holiday until {M}
  {F} bought it in {C}
  {N} ordered the {P} last month
  {N} from {C} called about the {P}
  doctor {L} referred me
  the appointment with Dr {L} is on {M}
  I have an appointment with {N} at {K}
  the driver was {F}
  the seller, {N}, refuses to answer
  I live with {F} and two children
  so {F} calls me and says that the {P} is broken
  then I talked to {F}, who sent me to {F}, who hung up
  could {F} please call {F} back
  add {N} to the contract
  remove {N} from the contract
  please write {N} on the invoice
  emergency contact is {N}
  I am {F}'s wife
  I'm calling because {F} asked me to
  what did {F} say
  this is not {F}, this is his brother {F}
`);

/** Without any: the same words and forms where nobody is meant. */
export const NAMELESS = lines(`
  I ordered from {O} last week
  I bought it at {O}
  the {O} store is closed
  {W}
  {W}, {W} and {W}
  {W} please
  hi, {W}
  {O} does not answer my emails
  {O} is a terrible company
  I have an account with {O}
  is this {O}
  thank you for calling {O}
  I am calling from {C}
  I live in {C}
  we are moving to {C} in {M}
  the flight to {C} was cancelled
  my flight from {C} to {C} on {M}
  the office in {C} is closed
  the {C} branch never picks up
  is there a shop in {C}
  the weather in {C} was bad
  the {P} does not work
  my {P} is broken
  the {P} stopped working in {M}
  I have the {P} subscription
  I want to return the {P}
  can I upgrade to {P}
  does {P} work with {P}
  I cannot log in to {P}
  the {P} app keeps crashing
  I paid with {P}
  the invoice of {M} is wrong
  it was on {M}
  I called in {M} and again on {M}
  it will be delivered on {M}
  will you please mark it as urgent
  will it be there by {M}
  may I ask why
  may I have your order number
  can I have your {W} please
  I will call the bank
  she will call you back
  he said that it is fine
  they told me to wait
  somebody told me to call this number
  the agent hung up on me
  the last agent was very rude
  I want to speak to a manager
  let me speak to your supervisor
  can I talk to a human being
  put me through to billing please
  my husband set it up
  my wife pays the bills
  my son uses the phone
  my mother is ill
  the technician never came
  the driver left it at the door
  the parcel was left next door
  I am very angry
  I am still waiting
  I am so disappointed
  I'm not happy with this
  this is unacceptable
  this is ridiculous
  this is the third time I call
  this is about my {W}
  it is about the {W}
  is it the {W} or the {W}
  Good morning
  Hello, how can I help you today
  Hi there
  Thank you so much
  Thanks, bye
  Sorry, I did not get that
  Yes
  No
  Okay, one moment please
  Right, let me check
  Sure, no problem
  Great, that works
  Perfect
  All right then
  Well, I have to say that I am disappointed
  Please hold the line
  Your order number is {K}
  My account number is {K}
  My number is {K}
  the price went up by {K} percent
  I was charged {K} twice
  it costs {K} a month
  my {W} is missing
  my {W} has not arrived
  where is my {W}
  the {W} is too slow
  Internet has been down since {M}
  the router shows a red light
  I need a new {W}
  could you send me the {W} by email
  I want to cancel my {W}
  I want my money back
  I will leave a review
  I have been a customer for {K} years
  what is your name please
  can I have your full name
  could you spell your last name
  my name is on the bill
  my name is misspelled
  the name is wrong
  which name is on the card
  mark my words
  the grace period ends in {M}
  I have no hope left
  it is a joy to use
  the rose I ordered was dead
  it was summer when I called
  the bill is too high
  pay the bill by {M}
  I want to sue
  a frank answer would be nice
  a white {P} please
  the black one, not the brown one
  I took a short walk to the store
  the page does not load
  the hall and the kitchen have no signal
  a long story
  the baker on the corner
  the king size bed
  a young woman at the desk
  the old {P} in green
  a penny more
  the early bird price
  there was ice on the road
  in faith that you will help
  I have a chance to win
  the art is damaged
  my guy said it is fine
  we had to drew up a list
  press one for {W}
  the {F} is broken
  the {F} edition is sold out
  two {F} lamps and a {P}
  I want the {F} model in blue
  the {L} street office
  the {L} plan is too expensive
  {O} sent me the wrong {P}
  {O} and {O} have merged
  the {W} {W} and the {W}
  {W} and {W} are not the same
  I'd like to book a table at {O} for {K} people
  I don't want anything else
  is there anything else I can do for you
  you're welcome, anything else
  I've found {K} restaurants in {C}, do you like {O}
  how about {O}, it is a {W} place in the centre
  {O} is a {W} restaurant with {W} food
  we'd like a room at {O} for {K} nights
  does {O} have free wifi and parking
  what's the postcode of {O}
  the guesthouse is moderately priced
  I'll need {K} tickets to {C}
  the train departs at {K} and arrives at {K} pm
  the bus from {C} to {C} is full
  the ticket is refundable
  I'm looking for a {W} dentist in {C}
  a {W} salon near {C}
  is the {W} practitioner in {C} any good
  the movie at {O} starts at {K}
  play the song {P} {P}
  who plays tonight, {O} or {O}
  the concert of the {P} {P} in {C}
  that doesn't sound {W}, isn't it {W}
  they're {W}, but we can't say why
  it won't {W} and it hasn't for days
  yup, that sounds cool
  nope, that's all, thanks
  kindly confirm the {W} on {M}
  yeah, that would be {W}
  hmm, what about {W} instead
  oh, I see, never mind
  the address is {O}, {K} {C} road
  the {P} {W} costs {K} GBP per {W}
  unit {K}, {O}, {C}
  I am very {W}
  I am so {W} and {W}
  I hate {W}
  I love {W}
  this is {W}
  this is so {W}
  it is {W}
  it was {W} and {W}
  the {W} {W}
  the phone {W}
  she is {W}
  he was {W} to me
  you are {W}
  we are {W}
  thanks for the {W}
  what a {W} {W}
  turn left at {O} and then right at the {W}
  I see the {W} but not the {W}
`);

const words = (text: string): readonly string[] =>
  text
    .trim()
    .split(/\s*,\s*/)
    .map((word) => word.trim());

export const PLACES = words(`
  Paris, London, Berlin, Madrid, Rome, Vienna, Lisbon, Dublin, Oslo, Athens, Cairo, Delhi, Mumbai, Bangalore, Tokyo, Osaka, Seoul, Beijing, Shanghai,
  Singapore, Sydney, Melbourne, Brisbane, Perth, Auckland, Toronto, Montreal, Vancouver, Chicago, Boston, Houston, Dallas, Austin, Denver, Phoenix, Seattle,
  Atlanta, Miami, Orlando, Detroit, Memphis, Charlotte, Jackson, Lincoln, Madison, Florence, Savannah, Victoria, Alexandria, Santiago, San Diego,
  San Francisco, San Jose, New York, Los Angeles, Las Vegas, Washington, Brooklyn, Manchester, Leeds, Bristol, Glasgow, Edinburgh, Cardiff, Belfast,
  Birmingham, Oxford, Cambridge, Hamburg, Munich, Cologne, Frankfurt, Zurich, Geneva, Milan, Turin, Naples, Venice, Barcelona, Valencia, Seville, Lyon,
  Nice, Marseille, Brussels, Amsterdam, Rotterdam, Copenhagen, Stockholm, Helsinki, Warsaw, Prague, Budapest, Bucharest, Istanbul, Ankara, Moscow, Dubai,
  Lagos, Nairobi, Accra, Cape Town, Johannesburg, Lima, Bogota, Quito, Havana, Jordan, Chad, Georgia, India, China, Japan, Germany, France, Spain, Italy,
  Brazil, Mexico, Canada, Australia, Ireland, Scotland, Wales, Texas, Virginia, Carolina, Dakota, Montana, Nevada, Ohio, Kent, Devon, Chester, Lancaster
`);
export const TIMES = words(`
  January, February, March, April, May, June, July, August, September, October, November, December, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday,
  Sunday, Christmas, Easter, Friday morning, Monday evening, the 3rd of May, the 12th of April, the 1st of June
`);
export const BRANDS = words(`
  Premium, Basic, Gold, Platinum, Unlimited, Family Plus, Smart Home, Fiber, Prime, Pro, Max, Mini, Galaxy, Pixel, Windows, Excel, Outlook, Chrome, Safari,
  Alexa, Siri, Netflix, Spotify, Visa, Mastercard, Maestro, Paypal, Klarna, Zoom, Teams, Skype, Whatsapp, Facebook, Instagram, Android, Kindle, Echo, Nest,
  Tesla, Mercedes, Porsche, Ford, Lexus, Chase, Barclays, Santander, Vodafone, Orange, Samsung, Sony, Philips, Bosch, Siemens, Dell, Lenovo, Canon, Dyson
`);
/** What stands behind a name where an organisation is meant. */
export const ORGANISATION_ENDS = words(`
  Electronics, Insurance, Bank, Airlines, Motors, Store, Stores, Pharmacy, Hotel, Hotels, Travels, Group, Foods, Solutions, Logistics, Telecom, Mobile,
  Energy, Shop, Bakery, University, Hospital, Street, Avenue, Road, Airport, Station, Park, and Sons, and Company, Inc, Ltd, Furniture, Fashion, Books,
  Restaurant, Cinema, Lodge, House, Guesthouse, Bar, Cafe, Salon, Theatre,
  Boulevard, Valley, Dental, Clinic, Museum, Garden, Kitchen, Grill, Square, College, Drive, Inn, Arms, Library, Gym, Dentistry, Hills, Road
`);
