#pragma once

#include <string_view>

namespace example {

/// The colours of reports and of pictures that stand alone, light or dark by the reader's setting.
constexpr std::string_view report_colours = R"(
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1b1e24; --quiet: #5b6370; --line: #dfe3e9;
  --model: #2458c9; --other: #a3adbb; --third: #0f8a6a; --fourth: #b0620e; --hit: #0f6b3c; --hit-page: #d9f2e3; }
@media (prefers-color-scheme: dark) {
  :root { --page: #101216; --card: #191c22; --text: #e7e9ed; --quiet: #9aa3b0; --line: #2d323b;
    --model: #7ea6ff; --other: #5d6674; --third: #4cc9a4; --fourth: #e6a15c; --hit: #8be3b1; --hit-page: #153524; }
}
)";

/// The rest of a report's style sheet: one column on a phone, nothing from elsewhere.
constexpr std::string_view report_style = R"(
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 1.2rem; margin: 36px 0 10px; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 6px 0; }
.quiet { color: var(--quiet); font-size: .875rem; }
.notice { border-left: 4px solid var(--model); padding: 4px 12px; background: var(--card); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.card, .tile, figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 16px; }
.tile b { display: block; font-size: 1.6rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile span { color: var(--quiet); font-size: .875rem; }
.card { padding: 14px 16px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
figure { margin: 0; padding: 14px 16px 8px; min-width: 0; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
.tick, .value { font: 11px system-ui, sans-serif; fill: var(--quiet); }
.value { fill: var(--text); font-size: 10px; }
.grid { stroke: var(--line); }
.marked { stroke: var(--quiet); stroke-dasharray: 3 3; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.model { stroke: var(--model); } .line.third { stroke: var(--third); }
.line.fourth { stroke: var(--fourth); } .line.fifth { stroke: var(--other); }
.dot.model, .bar.model { fill: var(--model); } .dot.third { fill: var(--third); } .dot.fourth { fill: var(--fourth); }
.dot.fifth { fill: var(--other); } .bar.other { fill: var(--other); }
.legend { font-size: .875rem; margin: 2px 0 4px; color: var(--quiet); }
.legend span { margin-right: 14px; white-space: nowrap; }
.legend span::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 3px;
  margin-right: 6px; background: var(--other); }
.legend .model::before { background: var(--model); } .legend .third::before { background: var(--third); }
.legend .fourth::before { background: var(--fourth); }
.interval { width: 160px; } .interval circle { fill: var(--other); }
.whisker { stroke: var(--other); stroke-width: 2.5; }
.interval.model circle { fill: var(--model); } .interval.model .whisker { stroke: var(--model); }
.scroll { overflow-x: auto; padding: 4px 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; font-size: .875rem; color: var(--quiet); }
tr:last-child td, tr:last-child th { border-bottom: 0; }
th:first-child { text-align: left; }
td small { display: block; color: var(--quiet); font-size: .75rem; }
tbody th { color: inherit; } .own { color: var(--model); } .own td { color: var(--text); font-weight: 600; }
.own td small { font-weight: 400; }
.facts th, .facts td { padding: 4px 0; font-size: .9375rem; font-weight: 400; vertical-align: top; }
.facts td { white-space: normal; overflow-wrap: anywhere; padding-left: 16px; }
.stack { display: grid; gap: 16px; align-content: start; }
details { margin-top: 12px; } details .card { margin-top: 10px; } summary { cursor: pointer; padding: 4px 0; }
.user { margin-top: 14px; } .user .pair { margin-top: 10px; }
.user h4 { margin: 0 0 4px; font-size: .875rem; color: var(--quiet); font-weight: 600; }
.user header { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; }
ol, ul { margin: 0; padding-left: 2.1em; font-size: .9375rem; } ul { list-style: none; padding-left: 0; }
li { padding: 1px 6px; overflow-wrap: anywhere; }
.hit { background: var(--hit-page); color: var(--hit); border-radius: 5px; font-weight: 600; }
.verdict { font-size: .9375rem; } .verdict.hit { padding: 1px 8px; }
@media (max-width: 700px) {
  main { padding: 18px 12px 36px; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .tiles { grid-template-columns: 1fr 1fr; }
  .wide { display: none; }
  .tick, .value { font-size: 14px; }
  th, td { padding: 7px 6px; } tbody th { white-space: normal; } td small { font-size: .6875rem; }
}
)";

}  // namespace example
