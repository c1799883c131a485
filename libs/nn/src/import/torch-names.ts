import { ImportError } from './import-error.ts';
import type { SourceTensor } from './source-tensor.ts';

export type TorchPart = 'weight_ih' | 'weight_hh' | 'bias_ih' | 'bias_hh';

/** One recurrent layer's tensors. */
export interface RecurrentGroup {
  /** For messages: `lstm. layer 0`. */
  readonly name: string;
  readonly parts: ReadonlyMap<TorchPart, SourceTensor>;
}

const LAYERS_MAX = 256;
const RECURRENT = /^(.*?)(weight_ih|weight_hh|bias_ih|bias_hh)(?:_l(\d{1,4}))?$/;
const UNSUPPORTED = /(?:weight|bias)_(?:ih|hh|hr)_l\d+_reverse$|weight_hr_l\d+$/;

interface Place {
  readonly prefix: string;
  readonly layer: number;
  readonly part: TorchPart;
  readonly tensor: SourceTensor;
}

/**
 * The recurrent layers in order, and the tensors that belong to none. Layers are `PREFIXweight_ih_lK` of one module, or modules or cells whose
 * prefixes differ in their last number (`cells.0.`, `cells.1.`, `lstm1.`, `lstm2.`), one layer each. Throws ImportError.
 */
export function recurrentGroups(
  tensors: readonly SourceTensor[],
  from: string,
): { readonly groups: readonly RecurrentGroup[]; readonly rest: readonly SourceTensor[] } {
  const unsupported = tensors.find(({ name }) => UNSUPPORTED.test(name));
  if (unsupported)
    throw new ImportError(
      `${from}: tensor '${unsupported.name}' belongs to a ${unsupported.name.endsWith('_reverse') ? 'bidirectional' : 'projected (proj_size)'} network, ` +
        'which cannot carry a state from record to record. Train it with bidirectional=False and proj_size=0.',
    );
  const places = tensors.flatMap((tensor) => placeOf(tensor) ?? []);
  if (places.length === 0)
    throw new ImportError(
      `${from} has no tensor named like weight_ih_l0: it holds ${tensors.length === 0 ? 'nothing' : `'${tensors[0].name}'`}. ` +
        'Save the state dict of a model with an nn.RNN, nn.GRU or nn.LSTM.',
    );
  const taken = new Set(places.map(({ tensor }) => tensor));
  return { groups: ordered(places, from), rest: tensors.filter((tensor) => !taken.has(tensor)) };
}

function placeOf(tensor: SourceTensor): Place | undefined {
  const match = RECURRENT.exec(tensor.name);
  if (!match) return undefined;
  return { prefix: match[1], part: match[2] as TorchPart, layer: Number(match[3] ?? 0), tensor };
}

function ordered(places: readonly Place[], from: string): RecurrentGroup[] {
  const prefixes = [...new Set(places.map(({ prefix }) => prefix))];
  const numbers = prefixes.map((prefix) => /^(.*?)(\d{1,4})\.$/.exec(prefix));
  const isList = prefixes.length > 1;
  if (
    isList &&
    (numbers.some((match) => !match || match[1] !== numbers[0]?.[1]) || places.some(({ layer }) => layer > 0))
  )
    throw new ImportError(
      `${from} has several recurrent networks: '${prefixes.slice(0, 3).join("', '")}'. Their order is not known: save the state dict of one stacked network.`,
    );
  const order = (place: Place): number => (isList ? numberOf(place.prefix) : place.layer);
  const keys = [...new Set(places.map(order))].sort((a, b) => a - b);
  if (keys.length > LAYERS_MAX || (!isList && keys.some((key, i) => key !== i)))
    throw new ImportError(
      `${from} has the layers ${keys.slice(0, 8).join(', ')}; they must count up from 0, at most ${LAYERS_MAX}. Save the whole state dict.`,
    );
  return keys.map((key) => {
    const own = places.filter((place) => order(place) === key);
    const parts = new Map(own.map(({ part, tensor }) => [part, tensor]));
    if (parts.size !== own.length)
      throw new ImportError(
        `${from} has two tensors for layer ${key} of '${own[0].prefix}'. Save the state dict again.`,
      );
    return { name: isList ? own[0].prefix : `${own[0].prefix}l${key}`, parts };
  });
}

function numberOf(prefix: string): number {
  return Number(/(\d+)\.$/.exec(prefix)?.[1]);
}
