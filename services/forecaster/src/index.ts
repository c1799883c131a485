export { FORECASTER_CONFIG } from './config.ts';
export { runForecaster } from './service.ts';
export type { TopicOptions } from './topics.ts';
export { DEFAULT_MODELS, loadTopics, modelOf } from './topics.ts';
