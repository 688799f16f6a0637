// The cells in plain loops of double precision, forward, and their gradients as differences.
#pragma once

#include <functional>

#include "check.h"
#include "lstm.h"

namespace gatelm_test {

typedef std::vector<double> Doubles;
// x, hidden0, then what the cell has; all hidden states.
typedef std::function<Doubles(const std::vector<Doubles>&)> CellForward;

// Inputs: x, hidden0, wx, wh, b.
Doubles gru_reference(const gatelm::LstmShape& shape, const std::vector<Doubles>& inputs);
// Inputs: x, hidden0, cell0, wx, wh, b.
Doubles lstm_reference(const gatelm::LstmShape& shape, const std::vector<Doubles>& inputs);
// Inputs: those of the LSTM, the matrices of the rounds, and as many second factors or none.
Doubles mogrifier_reference(const gatelm::LstmShape& shape, int rounds, long rank, const std::vector<Doubles>& inputs);

// Compares the gradients of Σ hiddens · d_hiddens with differences: each element of a small tensor, else the sum along some
// directions. gradients: one for each input, empty where there is none.
void check_gradients(const CellForward& forward, const std::vector<Doubles>& inputs, const Floats& d_hiddens,
                     const std::vector<Floats>& gradients, double tolerance, const std::string& name);

}  // namespace gatelm_test
