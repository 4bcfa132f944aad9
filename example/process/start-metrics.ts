import type { Metrics } from '../metrics/registry.js'
import { serveMetrics } from '../metrics/serve-metrics.js'
import { listenError } from './listen-error.js'
import type { Settings } from './settings.js'

/**
 * Serves metrics where the settings say so, and gives where; undefined if they do not.
 *
 * @param measure begins to measure: nothing is measured if nobody may see it
 * @throws SettingError if it cannot listen there
 */
export async function startMetrics (
  { metrics }: Pick<Settings, 'metrics'>,
  measure: () => Metrics
): Promise<string | undefined> {
  if (metrics === undefined) return undefined
  try {
    return (await serveMetrics(metrics, measure())).url
  } catch (error) {
    throw listenError(error, 'METRICS_')
  }
}
