import { type Problem, problem } from '../../domain/error.ts';
import type { JsonObject } from '../json.ts';
import { shapeProblems } from './shape.ts';

/**
 * What FHIR does not have in a resource that holds others, which are looked at by themselves.
 * @param inner the element that holds them
 * @param place where the resource stands
 */
export function unknownAround(
  resource: JsonObject,
  type: 'Bundle' | 'Parameters',
  inner: 'entry' | 'parameter',
  place: string = type,
): Problem[] {
  const { [inner]: _inner, ...around } = resource;
  return shapeProblems({ resourceType: type, ...around }, type)
    .filter(({ name }) => name === 'elementUnknown')
    .map(({ about }) =>
      problem('elementUnknown', { ...about, expression: about.expression?.replace(type, place) ?? place }),
    );
}
