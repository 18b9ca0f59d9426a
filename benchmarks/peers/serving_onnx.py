"""Runs the LSTM of the library's network in ONNX Runtime: one step of one sequence, and a sequence of 200 steps, which is
most of what a session does with a history of 200 events (the library's figure is that of all of it).

    python serving_onnx.py [UNITS...]

One thread, which is the fastest for these sizes; all graph optimisations. Prints `name, parameter, value, unit, limit,
note` with tabs between; the value is the best of many calls.
"""
import sys

import numpy
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from best_seconds import best_seconds


def model_of(units):
    random = numpy.random.default_rng(1)
    weights = {name: (0.1 * random.standard_normal(shape)).astype(numpy.float32)
               for name, shape in {"W": (1, 4 * units, units), "R": (1, 4 * units, units), "B": (1, 8 * units)}.items()}
    state = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, units]) for name in ("h", "c", "h2", "c2")]
    node = helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c"], ["y", "h2", "c2"], hidden_size=units)
    graph = helper.make_graph([node], "lstm", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, units]),
                                               *state[:2]],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1, 1, units]), *state[2:]],
                              [numpy_helper.from_array(value, name) for name, value in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8).SerializeToString()


for units in map(int, sys.argv[1:] or ["64", "128", "256"]):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model_of(units), options, providers=["CPUExecutionProvider"])
    for steps in (1, 200):
        # Inputs and outputs stay where they are from call to call, so that Python's part of the time is small.
        binding = session.io_binding()
        arrays = {"x": (steps, 1, units), "h": (1, 1, units), "c": (1, 1, units)}
        kept = {name: onnxruntime.OrtValue.ortvalue_from_numpy(numpy.full(shape, 0.1, numpy.float32))
                for name, shape in arrays.items()}
        for name, value in kept.items():
            binding.bind_ortvalue_input(name, value)
        for name in ("y", "h2", "c2"):
            binding.bind_output(name, "cpu")
        seconds = best_seconds(lambda: session.run_with_iobinding(binding), 1.0)
        history = "session, history of 200 events"
        for name, parameter in ([("LSTM, one sequence, 1 thread", f"{units} units, 1 step")] if steps == 1 else
                                [(history, f"{units} units"), (history + ", prepared", f"{units} units")]):
            print(name, parameter, f"{seconds:.4g}", "s", "",
                  f"the LSTM alone, onnxruntime {onnxruntime.__version__}, called from Python with bound inputs",
                  sep="\t", flush=True)
