/**
 * Errors on the wire: RFC 9457 problems of type `application/problem+json`, one `type` an error class.
 */
import type * as Cause from "effect/Cause"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Struct from "effect/Struct"

/** The media type of a problem (RFC 9457, 3). */
export const contentType = "application/problem+json"

/** What every error class of a backend has. */
export interface BackendError extends Cause.YieldableError {
  readonly _tag: string
  readonly message: string
  readonly requestId?: string
}

/** An error class of a backend, from `@effect-chatbot/schema/Errors`. */
export interface ErrorClass<E extends BackendError> extends Schema.Constraint {
  readonly Type: E
  readonly identifier: string
  readonly fields: Schema.Struct.Fields & { readonly message: Schema.Top; readonly body: Schema.Top }
  new (props: { readonly [key: string]: unknown }): E
}

/** A problem as it stands in a body. */
export interface ProblemEncoded {
  readonly type: string
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly instance?: string
  readonly requestId?: string
  readonly [field: string]: unknown
}

const typePrefix = "urn:effect-chatbot:problem:"

/** The `type` of the problems of an error class, which is also the name of its documentation. */
export const typeOf = (tag: string): string => `${typePrefix}${tag}`

/** The tag of the error class whose problems have this `type`, if it is one of this contract. */
export const tagOf = (type: string): string | undefined =>
  type.startsWith(typePrefix) ? type.slice(typePrefix.length) : undefined

/** The `title` of the problems of an error class: its name in words. */
export const titleOf = (tag: string): string => tag.replace(/(?<=[a-z])(?=[A-Z])/g, " ")

const errorClassKey = "~effect-chatbot/api/Problem/errorClass"

/**
 * The schema of an error class as a problem, for the `error` of an endpoint.
 *
 * `message` stands as `detail`, `_tag` as `type`; the fields of the class keep their names. `body` never leaves the client.
 */
export const problem = <E extends BackendError>(errorClass: ErrorClass<E>): Schema.Codec<E, ProblemEncoded> => {
  const tag = errorClass.identifier
  const status = SchemaAST.resolveAt<number>("httpApiStatus")(errorClass.ast)
  const standard = { type: typeOf(tag), title: titleOf(tag), status }
  const fields = Struct.omit(errorClass.fields, ["_tag", "message", "body"])
  // The fields of a class that comes as a parameter are beyond the compiler; a test encodes and decodes every class.
  const wire = Schema.Struct({
    type: Schema.Literal(standard.type),
    title: Schema.optionalKey(Schema.String),
    status: Schema.optionalKey(Schema.Int),
    detail: Schema.optionalKey(Schema.String),
    instance: Schema.optionalKey(Schema.String),
    ...fields
  }).annotate({ identifier: `${tag}Problem` }) as unknown as Schema.Codec<Record<string, unknown>, ProblemEncoded>
  return wire
    .pipe(
      Schema.decodeTo(
        Schema.toType(errorClass),
        SchemaTransformation.transform<E, Record<string, unknown>>({
          decode: (problem) => {
            const props = Struct.omit(problem, ["type", "title", "status", "detail", "instance"])
            return new errorClass(problem["detail"] === undefined ? props : { ...props, message: problem["detail"] })
          },
          encode: (error) => ({ ...(error as object), ...standard, detail: error.message })
        })
      ),
      HttpApiSchema.asJson({ contentType })
    )
    .annotate({ httpApiStatus: status, [errorClassKey]: errorClass })
}

/** The error class that a schema made by {@link problem} is of. */
export const errorClassOf = (schema: Schema.Constraint): ErrorClass<BackendError> | undefined =>
  SchemaAST.resolveAt<ErrorClass<BackendError>>(errorClassKey)(schema.ast)
