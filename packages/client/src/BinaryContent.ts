/**
 * Content that is not JSON: an image or a file, read as it comes.
 */
import type { RequestTimedOut, TransportFailed } from "@effect-chatbot/schema/Errors"
import type * as Stream from "effect/Stream"

/** An image or a file. */
export interface BinaryContent {
  /** The media type, as `image/png`; `application/octet-stream` where the backend does not say. */
  readonly contentType: string
  /** How many bytes there are, where the backend says it beforehand. */
  readonly contentLength: number | undefined
  /** The validator of this version of the content, with its quotes. */
  readonly etag: string | undefined
  /** The name the backend suggests for the file: a bare name, never a path. */
  readonly fileName: string | undefined
  /**
   * The bytes. `Stream.mkUint8Array` collects them.
   *
   * They can be read once. The connection is closed when the stream ends or is left, and when it is not begun within the attempt limit of
   * `Timeouts`, which is also how long it waits for more bytes.
   */
  readonly stream: Stream.Stream<Uint8Array, TransportFailed | RequestTimedOut>
}
