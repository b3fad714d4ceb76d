"""From reductions to what is said about runs: scenarios and migrations."""

from __future__ import annotations

from . import ast
from .build import Build, Parts, names
from .source import Span


def _from(c: Parts) -> Span:
    """From a leading keyword to the end of the last part."""
    return Span(c[0].start_pos, c[-1].span.end)


def _closed(c: Parts) -> Span:
    """From a leading keyword to a closing brace."""
    return Span(c[0].start_pos, c[-1].end_pos)


class BuildRuns(Build):
    """Scenarios and migrations."""

    # --- scenarios

    def scenario(self, c: Parts) -> ast.Scenario:
        doc = self.doc(c[0].start_pos)
        return ast.Scenario(_closed(c), c[1], self.used(c[3]), tuple(c[5]), doc)

    def given(self, c: Parts) -> ast.Given:
        return ast.Given(_closed(c), tuple(c[2]))

    def visit(self, c: Parts) -> ast.Visit:
        span = Span(c[0].span.start, c[1][-1].span.end)
        return ast.Visit(span, self.used(c[0]), tuple(c[1]))

    def act_records(self, c: Parts) -> ast.RecordsAct:
        return ast.RecordsAct(Span(c[0].start_pos, c[1][-1].span.end), tuple(c[1]))

    def act_fails(self, c: Parts) -> ast.FailsAct:
        return ast.FailsAct(_from(c), c[1])

    def act_times_out(self, c: Parts) -> ast.TimesOutAct:
        return ast.TimesOutAct(_closed(c))

    def act_goes(self, c: Parts) -> ast.GoesToAct:
        return ast.GoesToAct(_from(c), c[2])

    def act_decides(self, c: Parts) -> ast.DecidesAct:
        return ast.DecidesAct(_from(c), (), c[1])

    def act_reroutes(self, c: Parts) -> ast.ReroutesAct:
        return ast.ReroutesAct(_from(c), (), c[1])

    def act_modifies_decides(self, c: Parts) -> ast.DecidesAct:
        return ast.DecidesAct(_from(c), tuple(c[1]), c[3])

    def act_modifies_reroutes(self, c: Parts) -> ast.ReroutesAct:
        return ast.ReroutesAct(_from(c), tuple(c[1]), c[3])

    def expect_path(self, c: Parts) -> ast.ExpectPath:
        return ast.ExpectPath(Span(c[0].start_pos, c[2][-1].span.end), (), names(c[2]))

    def expect_frame(self, c: Parts) -> ast.ExpectPath:
        return ast.ExpectPath(Span(c[0].start_pos, c[4][-1].span.end), names(c[2]), names(c[4]))

    def expect_that(self, c: Parts) -> ast.ExpectThat:
        return ast.ExpectThat(_from(c), c[1])

    def expect_end(self, c: Parts) -> ast.ExpectEnd:
        return ast.ExpectEnd(_from(c), c[3])

    def expect_failure(self, c: Parts) -> ast.ExpectFailure:
        return ast.ExpectFailure(_from(c), c[2])

    # --- migrations

    def migrate(self, c: Parts) -> ast.Migrate:
        doc = self.doc(c[0].start_pos)
        return ast.Migrate(_closed(c), self.used(c[1]), c[3], tuple(c[5]), doc)

    def rename(self, c: Parts) -> ast.Rename:
        return ast.Rename(_from(c), c[1], self.used(c[2]), self.used(c[4]))

    def set_field(self, c: Parts) -> ast.SetField:
        return ast.SetField(_from(c), self.used(c[1]), c[3])

    def drop_field(self, c: Parts) -> ast.DropField:
        return ast.DropField(_from(c), self.used(c[2]))

    def move(self, c: Parts) -> ast.Move:
        return ast.Move(_from(c), self.used(c[1]), c[3])
