/**
 * What the process uses: memory, descriptors, CPU, and how long the event loop keeps others waiting.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { readdir } from "node:fs/promises"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"
import * as ServerMetrics from "./ServerMetrics.ts"

/** Open descriptors; nothing where the system does not tell. */
const descriptors = Effect.map(
  Effect.promise(() => readdir("/proc/self/fd").catch(() => [])),
  (names) => names.length
)

/**
 * Measures every 10 seconds, for as long as the scope is open, and whenever `measure` is run. The delay of the event loop is that since the
 * measurement before.
 */
export const make: Effect.Effect<{ readonly measure: Effect.Effect<void> }, never, Scope.Scope> = Effect.gen(
  function* () {
    const delay = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const delay = monitorEventLoopDelay({ resolution: 20 })
        delay.enable()
        return delay
      }),
      (delay) => Effect.sync(() => delay.disable())
    )
    let utilization = performance.eventLoopUtilization()
    const measure = Effect.gen(function* () {
      const { cpu, delayP50, delayP99, heap, memory, uptime } = ServerMetrics.process
      const { heapUsed, rss } = process.memoryUsage()
      const { system, user } = process.cpuUsage()
      yield* Metric.update(memory, rss)
      yield* Metric.update(heap, heapUsed)
      yield* Metric.update(cpu, (system + user) / 1e6)
      yield* Metric.update(uptime, process.uptime())
      yield* Metric.update(ServerMetrics.process.descriptors, yield* descriptors)
      if (delay.count > 0) {
        yield* Metric.update(delayP50, delay.percentile(50) / 1e9)
        yield* Metric.update(delayP99, delay.percentile(99) / 1e9)
        delay.reset()
      }
      const now = performance.eventLoopUtilization()
      yield* Metric.update(
        ServerMetrics.process.utilization,
        performance.eventLoopUtilization(now, utilization).utilization
      )
      utilization = now
    })
    yield* Effect.forkScoped(Effect.repeat(measure, Schedule.spaced("10 seconds")))
    return { measure }
  }
)
