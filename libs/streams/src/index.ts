export type { Acknowledgement } from './alerts/acknowledgement.ts';
export { ACKNOWLEDGEMENT_PREFIX, acknowledgementLine, parseAcknowledgement } from './alerts/acknowledgement.ts';
export type { Alert } from './alerts/alert.ts';
export { ALERT_PREFIX, parseAlert } from './alerts/alert.ts';
export { readCallRules } from './alerts/rules-file.ts';
export { createCallVolumeStream } from './call-volume/call-volume-stream.ts';
export type { ServiceTarget } from './call-volume/erlang-c.ts';
export { agentsFor, erlangB, erlangC, loadOf, serviceLevel } from './call-volume/erlang-c.ts';
export { VOLUME_CONTEXT, VOLUME_HORIZONS } from './call-volume/features.ts';
export { countOf, rootOf } from './call-volume/memory.ts';
export { VOLUME_LEVELS, volumeLoss, volumeQuantiles } from './call-volume/outputs.ts';
export type { CallVolumeSettings } from './call-volume/settings.ts';
export { CALL_VOLUME_DEFAULTS, readCallVolumeSettings } from './call-volume/settings.ts';
export { callInputSize } from './calls/call-features.ts';
export { CALL_CONTEXT } from './calls/call-state.ts';
export type { CallPoints } from './calls/call-stream.ts';
export { CALL_IDLE_TTL_MS, CALL_POINTS, createCallStream } from './calls/call-stream.ts';
export type { EscalationHorizon, FollowedTurn, SettledBin } from './calls/forecast-scores.ts';
export { FORECAST_SCORES_SIZE, followForecasts, settleCall } from './calls/forecast-scores.ts';
export type { CallGroup, CallLabel, CallProbabilities, CallReader, Satisfaction } from './calls/outputs.ts';
export {
  CALL_CLASSES,
  CALL_GROUPS,
  callLoss,
  callReaderOf,
  ESCALATION_TURNS,
  SATISFACTION_CLASSES,
  sentimentClass,
  YES_NO,
} from './calls/outputs.ts';
export type { CallRules } from './calls/rules.ts';
export { parseCallRules } from './calls/rules.ts';
export type { CallEndReader, ReadCall } from './calls/summary-model.ts';
export { createCallEndReader, SUMMARY_GROUPS, SUMMARY_MODEL, summarySpec } from './calls/summary-model.ts';
export { readNoted, SUMMARY_INPUTS, SUMMARY_STATE_SIZE, SUMMARY_TURNS_MAX } from './calls/summary-state.ts';
export type { Declaration, DeclaredEmbedding, QuantileOutput } from './declared/declaration.ts';
export { declarationDigest } from './declared/declaration-digest.ts';
export { createDeclaredStream } from './declared/declared-stream.ts';
export { keyBucket } from './declared/key-vector.ts';
export { levelName } from './declared/point-head.ts';
export { readDeclaration } from './declared/read-declaration.ts';
export { rowValuesOf } from './declared/row-values.ts';
export { isStreamFile, readCallVolumeFile, readStreamFile } from './declared/stream-file.ts';
export type { TimeFields } from './event-time.ts';
export { readEventTime } from './event-time.ts';
export { FlatJsonReader } from './json/flat-json-reader.ts';
export type { NameTagger } from './privacy/name-tagger.ts';
export { createNameTagger, NAME_CLASSES, NAMES_MODEL, namesSpec, readTokens } from './privacy/name-tagger.ts';
export type { Token } from './privacy/name-tokens.ts';
export { tokensOf as nameTokensOf } from './privacy/name-tokens.ts';
export { namesIn } from './privacy/names.ts';
export { redactText } from './privacy/redact.ts';
export { pinball, quantileLoss } from './quantile-loss.ts';
export type { StreamDescription, StreamName, StreamOptions } from './registry.ts';
export { assertModelFits, createStream, describeStream, STREAM_NAMES } from './registry.ts';
export { demoFeed } from './sources/demo-feed.ts';
export type { GeneratedCallVolumeOptions } from './sources/generated-call-volume.ts';
export { generatedCallVolume } from './sources/generated-call-volume.ts';
export type { GeneratedCallsOptions } from './sources/generated-calls.ts';
export { generatedCalls } from './sources/generated-calls.ts';
export type { GeneratedTicksOptions } from './sources/generated-ticks.ts';
export { generatedTicks } from './sources/generated-ticks.ts';
export { mulberry32 } from './sources/random.ts';
export { realPrices } from './sources/real-prices.ts';
export type { SourceRecord } from './sources/source-record.ts';
export type { ByTopic, StreamConfig } from './stream-fields.ts';
export { CALL_POINTS_LIST, STREAM_FIELDS, servedTopics } from './stream-fields.ts';
export { gramBuckets, textBucket } from './text/grams.ts';
export type { SentenceEncoder } from './text/sentence-encoder.ts';
export { assertSentenceEncoder } from './text/sentence-encoder.ts';
export type { TextFeatures, TextMeasures } from './text/text-features.ts';
export { createTextFeatures } from './text/text-features.ts';
export { tokensOf } from './text/tokens.ts';
export { ENCODED_TOKENS_MAX, readWords, wordEncoderSpec } from './text/word-encoder.ts';
export type { WordVectors } from './text/word-vectors.ts';
export { decodeWordVectors, englishWordVectors } from './text/word-vectors.ts';
export type { TickFields } from './ticks/decode.ts';
export { TICK_FIELDS, TICK_SCHEMA } from './ticks/decode.ts';
export { TICK_CONTEXT } from './ticks/features.ts';
export { QUANTILES, quantilesOf, tickLoss } from './ticks/quantiles.ts';
export type { TickStreamOptions } from './ticks/tick-stream.ts';
export { createTickStream, TICK_HORIZONS } from './ticks/tick-stream.ts';
export type { TopicStream } from './topic-streams.ts';
export { TOPIC_STREAMS } from './topic-streams.ts';
export type { HorizonUnit } from './verification/options.ts';
export { horizonName, spanMsOf, stepsWithin } from './verification/options.ts';
