/** Given names and surnames of many countries, lower case; a list of ours, without a source to license. What it lacks is told by what stands around it. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Given names that are no other word of English. */
export const GIVEN_NAMES = words(`
  aaron abdul abigail ada adam adele aditya adrian adriana agnes ahmad ahmed aisha akira alan albert alberto alejandro alex alexander alexandra alexei
  alfred ali alice alicia alison alistair allison amanda amelia amina amir amit amy ana anastasia anders andre andrea andreas andrew angela angelina
  anika anil anita anjali ann anna anne annette annie anthony antoine antonio anya archie ariana arjun arthur arun asha ashley astrid audrey ava axel
  ayesha barbara beatrice ben benjamin bernard beth bethany betty bianca bilal birgit bjorn bob bobby boris brandon brenda brian bridget bruno bryan
  camila carl carla carlos carmen caroline carolyn catherine cathy cecilia cedric celia chandra charles charlie chen cheryl chiara chloe chris
  christina christine christopher cindy claire clara claude claudia colin connor craig cristina cynthia daisuke damian dan dana daniel daniela
  danielle danny daria dave david deborah debra deepa deepak denise dennis derek diana diane diego dieter dimitri dmitri dominic donald donna doris
  dorothy douglas dylan ed eddie eduardo edward edwin eileen elaine eleanor elena elias elijah elisa elise elizabeth ella ellen ellie emily emma
  enrique eric erica erik erika ernest esther ethan eugene eva evan evelyn fabian farah fatima felicia felipe felix fernando fiona florian frances
  francesca francis francisco francois franz fred frederick gabriel gabriela gareth gary gavin geoff geoffrey george gerald gerard giorgio giovanni
  giulia giuseppe gloria gopal gordon graham greg gregory greta guillermo gustav hannah hans haruto harold harriet harry hassan hazel heather hector
  heidi heinz helen helena helga henrik henry hiroshi howard hugo hussein ian ibrahim igor imran indira ines ingrid irene irina isaac isabel isabella
  isla ivan jacob jacqueline jacques jaime jake jamal james jamie jan jane janet janice jason javier jean jeff jeffrey jennifer jenny jeremy jerome
  jerry jesse jessica jill jim jimmy joan joanna joanne joao joaquin joe joel joey johan johann johannes john johnny jonathan jorge jose josef joseph
  josephine joshua juan judith judy julia julian julie juliet jun jurgen justin kamal kara karen karim karin karl kate katherine kathleen kathryn
  kathy katie katja kavita keith kelly ken kenji kenneth kevin khaled kim kimberly kiran klaus konstantin kristen kristin kumar kurt kyle lakshmi
  lance larry lars laura lauren laurence lea leah lena leo leon leonard leonardo leslie liam lian lin linda lisa liz lorenzo lori louis louisa louise
  luca lucas lucia lucy luigi luis luke lydia madeleine mahmoud maja malcolm manoj manuel marc marcel marco marcos marcus margaret maria mariam
  marianne marie mario marion marta martha martin martina marvin mary maryam mateo mathieu matt matteo matthew matthias maureen maurice max maya meera
  megan mehmet mei melanie melissa mia michael michele michelle miguel mike milan mira miriam mohamed mohammad mohammed mohan molly monica monika
  muhammad mustafa nadia nadine nancy naomi natalia natalie natasha nathan neha neil nicholas nicolas nicole niels nigel nikhil nikita nikolai nina
  noah noor nora norman oleg olga oliver olivia omar oscar otto owen pablo pamela paolo patricia patrick paul paula paulo pavel pedro penny peter
  petra philip philippe phoebe pierre pietro pooja prakash priya rachel rafael rahul raj rajesh rakesh ralph ramesh ramon rania raphael raquel rashid
  ravi raymond rebecca reza ricardo richard rick ricky rita robert roberta roberto rodrigo roger rohan roland rolf roman ronald rosa rosie ross roy
  ruben rudolf rupert russell ruth ryan sabine sabrina sadia sakura saleh sally sam samantha samira samuel sandra sanjay sara sarah sasha satoshi
  scott sean sebastian serena sergei sergio seth shah shane shannon sharon shaun sheila shirley sigrid silvia simon simone sinead sofia sonia sonja
  sophia sophie stacy stanislav stefan stefano stella stephanie stephen steve steven stuart sunil sunita susan susanne suzanne sven svetlana sylvia
  takeshi tamara tanya tara tariq tatiana ted teresa theodore theresa thomas tiffany tim timothy tina tobias todd tom tomas tommy tony tracy ulrich
  ursula valentina valerie vanessa vera veronica vicky victor victoria vijay vikram vincent vivek vivian vladimir walter wanda wayne wei wendy werner
  wilhelm william willie wolfgang xavier xin yan yasmin yosef youssef yuki yuri yusuf yvonne zachary zainab zara zoe
`);

/** Surnames that are no other word of English. */
export const SURNAMES = words(`
  adams agarwal allen anderson andersson bailey banerjee bauer becker bennett bergmann bernard bianchi brooks bryant campbell carlson castillo chang
  chatterjee chavez chaudhry cohen collins colombo costa cruz davies davis delgado desai diaz dubois dupont edwards evans fernandes fernandez ferrari
  fischer fitzgerald flores foster garcia gibson gomez gonzales gonzalez gonzalves goldberg griffin gupta gutierrez haddad hansen harris harrison
  hassan hernandez hoffmann hughes hussain ivanov jackson jacobs jansen jenkins jensen jimenez johansson johnson jones kapoor kaur keller kelly
  kennedy khan klein kovacs kowalski krause krishnan kumar larsen lehmann leroy levy lewandowski li lopez marchetti martinez mcdonald mehta mendoza
  meyer meier mitchell mohamed moreau moreno morgan morris mueller müller murphy murray nair nakamura nelson nguyen nielsen novak obrien o'brien
  o'connor okafor oliveira olsen ortiz papadopoulos patel pereira perez petersen peterson petrov pham phillips popescu powell ramirez ramos rao reddy
  reyes richardson richter rivera roberts robertson robinson rodrigues rodriguez rogers rossi ruiz russo ryan sanchez santos sato schmidt schneider
  schroeder schulz schwarz sharma silva simmons singh smith sokolov stevens stewart sullivan suzuki tanaka thompson torres tran tremblay turner vargas
  vasquez vogel wagner walsh wang watanabe watson weber wilson wojcik wong wright yamamoto yang yilmaz zhang zhao zimmermann
`);

/** Names that are words, months or places, too: only what stands around them tells. */
export const AMBIGUOUS_NAMES = words(`
  angel april art august austin bill bob brook carol chance charity charlotte chase chelsea christian clay cliff crystal daisy dallas dawn dean
  destiny dick don drew faith florence ford frank gene georgia grace grant guy harmony holly hope houston iris ivy jack jade jasmine jordan joy june
  kay lane lee lily london mark matt may melody miles nick olive paris pat pearl penny ray rich rob robin rod rose ruby sage sandy sky stone sue
  summer sydney terry victor violet virginia ward will baker black brown butler carter clark cook cooper fisher gardner green hall hill hunter king
  knight long mason miller moore page parker parks price reed rice rose shaw short singer stone taylor walker ward washington west white wood woods
  young
`);
