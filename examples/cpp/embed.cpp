// Loads an exported model with libtorch alone and compares its vectors with golden.json.
//
//   embed DIR            plain kernels, as the file is
//   embed DIR 1          every linear layer repacked for this CPU (oneDNN, fp32): the same numbers, faster on AMD
//   embed DIR 0 cuda     on another device: the program follows its input

#include <torch/script.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "json.h"

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: embed DIR [KERNEL [DEVICE]]\n";
        return 2;
    }
    const std::string folder = argv[1];
    const int64_t kernel = argc > 2 ? std::stoll(argv[2]) : 0;
    const torch::Device device(argc > 3 ? argv[3] : "cpu");

    std::ifstream file(folder + "/golden.json");
    std::stringstream content;
    content << file.rdbuf();
    Json golden = Json::parse(content.str());
    const auto& ids = golden.object.at("ids").list;
    const auto& expected = golden.object.at("vectors").list;

    // One batch, padded on the right. The mask says what is padding, so the padding's id may be any.
    size_t width = 1;
    for (const auto& row : ids) width = std::max(width, row.list.size());
    const auto rows = static_cast<int64_t>(ids.size());
    torch::Tensor input = torch::zeros({rows, static_cast<int64_t>(width)}, torch::kInt64);
    torch::Tensor mask = torch::zeros_like(input);
    torch::Tensor wanted = torch::empty({rows, static_cast<int64_t>(expected[0].list.size())});
    for (int64_t row = 0; row < rows; ++row) {
        for (size_t at = 0; at < ids[row].list.size(); ++at) {
            input[row][at] = static_cast<int64_t>(ids[row].list[at].number);
            mask[row][at] = 1;
        }
        auto out = wanted.accessor<float, 2>()[row];
        for (int64_t at = 0; at < wanted.size(1); ++at) out[at] = static_cast<float>(expected[row].list[at].number);
    }

    torch::jit::Module model = torch::jit::load(folder + "/model.pt", device);
    model.eval();
    for (torch::jit::Module part : model.modules()) {
        if (auto pack = part.find_method("pack")) (*pack)({kernel});
    }
    c10::InferenceMode no_gradients;
    const torch::Tensor vectors = model.forward({input.to(device), mask.to(device)}).toTensor().to(torch::kCPU);

    const double apart = (vectors - wanted).abs().max().item<double>();
    std::cout << rows << " texts, " << vectors.size(1) << " dimensions, at most " << apart << " from golden.json\n";
    return apart <= 1e-5 ? 0 : 1;
}
