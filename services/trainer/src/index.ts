export type { BacktestStreamOptions } from './backtest/backtest-stream.ts';
export { backtestStream } from './backtest/backtest-stream.ts';
export type { EventRow, HitLine, MonthMcc, ReliabilityPoint } from './backtest/event-plots.ts';
export { eventRows, hitsAhead, mccByMonth, reliabilityByRank } from './backtest/event-plots.ts';
export type { PipelinePass, PipelinePassOptions, PointReader, SeriesPass } from './backtest/pipeline-pass.ts';
export { pipelinePass } from './backtest/pipeline-pass.ts';
export { resultHtml } from './backtest/report.ts';
export { coverageByBlock } from './backtest/report-plot.ts';
export type {
  BacktestResult,
  DataRange,
  Figures,
  ForecastTrack,
  Metric,
  NamedFigures,
  ResultTable,
  SeedFigures,
  Spread,
  TrainedSeed,
} from './backtest/result.ts';
export { reaches, spreadOf } from './backtest/result.ts';
export { figuresTable, forecastsTable, resultCard, resultJson } from './backtest/result-files.ts';
export { resultText } from './backtest/result-text.ts';
export type { CallEndsOptions } from './call-ends.ts';
export { trainCallEnds } from './call-ends.ts';
export type { BacktestVolumeOptions } from './call-volume/backtest-volume.ts';
export { backtestVolume } from './call-volume/backtest-volume.ts';
export type { CallVolumeTrainerOptions } from './call-volume/call-volume.ts';
export { trainCallVolume } from './call-volume/call-volume.ts';
export { trainCalls } from './calls.ts';
export { checkpointToResume, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts';
export type { DeclaredTrainerOptions, NetworkOptions } from './declared.ts';
export { countAlerts, trainDeclared } from './declared.ts';
export type { CallsBacktest } from './dialogues/backtest-calls.ts';
export { backtestCalls, trainOwnModel } from './dialogues/backtest-calls.ts';
export type { JudgedRow } from './dialogues/calibrate.ts';
export { calibrated } from './dialogues/calibrate.ts';
export type { ClassTarget, GroupLoss } from './dialogues/class-loss.ts';
export { certain, classErrors, classLoss, shares } from './dialogues/class-loss.ts';
export type { Confusion, ReliabilityBin } from './dialogues/class-scores.ts';
export {
  brierScore,
  calibrationError,
  cohenKappa,
  confusionOf,
  f1Of,
  reliability,
  unweightedRecall,
  weightedF1,
} from './dialogues/class-scores.ts';
export type { TextEncoderKind, TextReading } from './dialogues/dialogue-reader.ts';
export { assertNoEncoders } from './dialogues/dialogue-reader.ts';
export { evaluate } from './evaluate.ts';
export { leastSquares } from './least-squares.ts';
export { trainNames } from './names/train-names.ts';
export type { Recipe, RecipeOptions } from './recipes/recipe.ts';
export { RECIPES, recipeOf, runRecipe } from './recipes/registry.ts';
export { ratioError } from './recipes/tick-scores.ts';
export { readRecordFiles, sha256Of } from './record-files.ts';
export type { Refused, RowsRead, SeriesRows } from './series-rows.ts';
export { readPreparedRows, readRows } from './series-rows.ts';
export { letSignalsThrough } from './signals.ts';
export type { MeanDeviation } from './spread.ts';
export { meanDeviation, spreadOfFigures } from './spread.ts';
export type { Scaling } from './standardise.ts';
export { foldScaling, scalingOf, standardised } from './standardise.ts';
export { trainTicks } from './ticks.ts';
export type { TrainedModel, TrainerOptions } from './trained-model.ts';
