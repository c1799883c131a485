/** Names of persons to train a tagger with: of many countries, in Latin letters. */
import {
  base,
  cs_CZ,
  da,
  de,
  en,
  en_GB,
  en_IN,
  en_NG,
  en_ZA,
  es,
  fi,
  fr,
  hr,
  hu,
  id_ID,
  it,
  nb_NO,
  nl,
  pl,
  pt_BR,
  ro,
  sv,
  tr,
  vi,
} from '@faker-js/faker';
import { textBucket } from '@tideline/streams';

/** MIT, as is the package; names only are read of it. */
const LOCALES = [
  base,
  en,
  en_GB,
  en_IN,
  en_NG,
  en_ZA,
  de,
  fr,
  es,
  it,
  pt_BR,
  nl,
  sv,
  nb_NO,
  da,
  fi,
  pl,
  cs_CZ,
  hu,
  ro,
  hr,
  tr,
  id_ID,
  vi,
];
const words = (text: string): readonly string[] => text.trim().split(/\s+/);
/** Romanised names that those lists lack; ours. */
const GIVEN_MORE = words(`
  Wei Xin Jing Ming Hui Xiulan Yufei Haoran Zihan Hiroshi Haruto Yuki Sakura Kenji Aiko Naoko Takumi Min-jun Seo-yeon Ji-woo Hyun Soo-jin Ahmed Fatima Omar
  Layla Youssef Khadija Hassan Zainab Tariq Noor Ivan Olga Dmitri Svetlana Nikolai Yelena Chidi Ngozi Kwame Ama Thabo Naledi Amara Juma Wanjiru Abebe Tigist
  Siobhan Niamh Eoin Aoife Rhys Gwen Mairi Hamish Leilani Kai Tane Ayelet Noam Shira Eitan Giorgi Nino Aram Anahit Nguyen Linh Somchai Malee Putri Rizal
`);
const SURNAMES_MORE = words(`
  Zhou Wang Li Zhang Chen Liu Huang Zhao Wu Xu Sun Ma Zhu Guo Lin Tanaka Sato Suzuki Takahashi Ito Yamamoto Kobayashi Kim Park Choi Jeong Kang Yoon Hassan
  Al-Masri Haddad Khoury Nasser Farouk Rahman Chowdhury Begum Ivanov Petrova Smirnov Kuznetsova Volkov Okonkwo Adeyemi Mensah Dlamini Nkosi Mwangi Otieno
  Tesfaye Bekele O'Sullivan MacGregor Ap-Rhys Goldstein Mizrahi Beridze Petrosyan Tran Pham Saetang Wijaya
`);

/** Parts of the names, none of which is in another: so a figure says something of names that were never seen. */
export const PARTS = ['train', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** 8 of 10 train, 1 validates, 1 is tested; by the name itself. */
export function partOf(text: string): Part {
  const bucket = textBucket(text, 10);
  return bucket < 8 ? 'train' : bucket === 8 ? 'validation' : 'test';
}

export interface People {
  readonly given: readonly string[];
  readonly surnames: readonly string[];
}

interface NameParts {
  readonly generic?: readonly string[];
  readonly female?: readonly string[];
  readonly male?: readonly string[];
}

/** Names of one part. */
export function peopleOf(part: Part): People {
  const given: string[] = [...GIVEN_MORE];
  const surnames: string[] = [...SURNAMES_MORE];
  for (const { person } of LOCALES) {
    given.push(...all(person?.first_name));
    surnames.push(...all(person?.last_name));
  }
  return { given: kept(given, part), surnames: kept(surnames, part) };
}

function all(names: unknown): string[] {
  const { generic = [], female = [], male = [] } = (names ?? {}) as NameParts;
  return [...generic, ...female, ...male];
}

/** One or two words of letters. */
const NAME = /^\p{L}[\p{L}'’-]+(?: \p{L}[\p{L}'’-]+)?$/u;

function kept(names: readonly string[], part: Part): string[] {
  return [...new Set(names)].filter((name) => NAME.test(name) && partOf(name.toLowerCase()) === part).sort();
}

/** Every name of every part, lower case: such a word is no example of one that is no name. */
export function allNames(): ReadonlySet<string> {
  const names = PARTS.flatMap((part) => {
    const { given, surnames } = peopleOf(part);
    return [...given, ...surnames];
  });
  return new Set(names.map((name) => name.toLowerCase()));
}
