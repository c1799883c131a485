export { FORECASTER_CONFIG } from './config.ts';
export { runForecaster } from './service.ts';
export type { TopicOptions } from './topics.ts';
export { loadTopics, modelOf } from './topics.ts';
