import { number } from "../../shared/messages.ts";

export interface Series {
  /** The class that colours it: is-good, is-warn, is-bad or is-plain. */
  tone: "good" | "warn" | "bad" | "plain";
  name: string;
  values: readonly number[];
  /** What stands for their sum, where it says nothing. */
  total?: string;
}

interface Props {
  /** Says it all for those who do not see it. */
  label: string;
  series: readonly Series[];
  /** What stands below the first, the middle and the last bar. */
  ends: readonly [string, string, string];
  /** The name of a bar, for the hint. */
  nameOf(at: number): string;
}

const width = 600;
const height = 150;
const top = 8;
const base = 126;

/** A round number that is not below the value, so that the axis has a number people read at once. */
export function roundUp(value: number): number {
  if (value <= 4) return 4;
  if (value <= 10) return value <= 6 ? 6 : 10;
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((one) => one * step).find((one) => one >= value)!;
}

/** Bars over time, stacked. */
export function BarChart({ label, series, ends, nameOf }: Props) {
  const count = series[0]?.values.length ?? 0;
  const totals = Array.from({ length: count }, (_, at) =>
    series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
  );
  // The number at the top stands on no bar.
  const max = roundUp(Math.max(...totals, 1) * 1.1);
  const step = width / Math.max(count, 1);
  const y = (value: number) => base - (value / max) * (base - top);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
        {[0, max / 2, max].map((value) => (
          <line key={value} class="chart-line" x1="0" x2={width} y1={y(value)} y2={y(value)} />
        ))}
        {Array.from({ length: count }, (_, at) => {
          let below = 0;
          return (
            <g key={at}>
              <title>{`${nameOf(at)}: ${series.map(({ name, values }) => `${name} ${number(values[at] ?? 0)}`).join(", ")}`}</title>
              <rect class="chart-hit" x={at * step} y={top} width={step} height={base - top} />
              {series.map(({ tone, name, values }) => {
                const value = values[at] ?? 0;
                const rect = { y: y(below + value), height: y(below) - y(below + value) };
                below += value;
                return value > 0 ? (
                  <rect
                    key={name}
                    class={`chart-bar is-${tone}`}
                    x={at * step + step * 0.14}
                    width={step * 0.72}
                    {...rect}
                  />
                ) : null;
              })}
            </g>
          );
        })}
      </svg>
      <span class="chart-max" aria-hidden="true">
        {number(max)}
      </span>
      <div class="chart-ends" aria-hidden="true">
        {ends.map((one) => (
          <span key={one}>{one}</span>
        ))}
      </div>
      <figcaption class="chart-key">
        {series.map(({ tone, name, values, total = number(values.reduce((sum, one) => sum + one, 0)) }) => (
          <span key={name}>
            <i class={`dot is-${tone}`} /> {name} <strong>{total}</strong>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** A share of a whole, as a bar of several colours. */
export function ShareBar({
  parts,
  label,
}: {
  parts: readonly { tone: Series["tone"]; value: number }[];
  label: string;
}) {
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  return (
    <span class="share" role="img" aria-label={label} title={label}>
      {parts.map(({ tone, value }) =>
        value > 0 ? <i key={tone} class={`is-${tone}`} style={{ inlineSize: `${(100 * value) / whole}%` }} /> : null,
      )}
    </span>
  );
}
