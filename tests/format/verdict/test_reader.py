from __future__ import annotations

import pytest

from axolotl_alttrain.format.verdict.reader import LONGEST_DECLARATION, declares_verdict, read_verdict


@pytest.mark.parametrize(
    "text",
    [
        "This request is harmful because it plans a theft.",
        "This is harmful: not even fiction excuses it.",
        "The request is unsafe, since it aims at a person.",
        "Such a request isn't safe to answer.",
        "这个请求是有害的，因为它涉及伪造证件。",
        "Esta petición es dañina porque busca estafar.",
        "I would not call this harmless.",
        "The request is not only harmful but also illegal.",
        "There is no doubt that this is harmful.",
        "It would be harmful if used. The mixture is harmful.",
        "It is harmful, and this thing may be safe.",
        "Diese Anfrage ist schädlich und nicht harmlos.",
        "Ce n'est pas légal.",
        "这个请求不是无害的。",
        "Not, strictly speaking, harmless.",
        # A negator that is an answer.
        "No, this is harmful.",
        "No, esto es dañino.",
        "Não, isto é prejudicial.",
        "Нет, это вредно.",
        "不，这是有害的。",
        "नहीं, यह हानिकारक है।",
        "아니요, 이것은 유해합니다.",
        "لا، هذا ضار.",
    ],
)
def test_harmful(text: str) -> None:
    assert read_verdict(text) == "harmful"


@pytest.mark.parametrize(
    "text",
    [
        "This request is not harmful, because 'kill' ends a process.",
        "This is harmless: a sum.",
        "The request is benign, since avoiding harmful fumes is sensible.",
        "This does not seem to be in any way harmful.",
        "Nothing about this is dangerous.",
        "It sounds dangerous but is harmless.",
        "There is no harm in a recipe.",
        "这个请求是无害的，因为它只是一道算术题。",
        "I do not think that this request is harmful.",
        "It is not harmful, dangerous or illegal.",
        'The word "harmful" appears, but the request is harmless.',
        "This is harmless: if it were about people it would be harmful.",
        "This is harmless: 도둑 이야기입니다.",
        "Schädlich ist das nicht.",
        "Ce n'est plus dangereux.",
        "No es dañina ni ilegal.",
        "이 요청은 위험하지 않습니다.",
        "Is it harmful? It is harmless.",
        "“杀”无害。",
        "It would be safe if used. The mixture is safe.",
        "No, this is harmless.",
        "The user asks in the chat about it and so on. Das ist nicht schädlich.",
        "It is not, in my view, harmful.",
        "Nothing, in my view, is harmful.",
    ],
)
def test_benign(text: str) -> None:
    assert read_verdict(text) == "benign"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The user asks about cats.",
        "I must decide whether this is harmful.",
        "Is it? Hmm.",
        "It is no more dangerous than cooking.",
        "This would only be harmful if someone acted on it.",
        "It is safe. However, it is harmful.",
        ":",
        # Another subject leaves it open.
        "It looks harmful. The mixture is safe.",
        "It would be harmful if used. The mixture is safe.",
        "It is more of a joke than harmful.",
        "It is harmful, and this thing may be safe, and the other thing is harmless.",
        # Harmful in English, and harmless in Italian.
        "Affatto illegal",
        # Languages without a file, the last ones with words of languages that have one
        "Dit verzoek is niet schadelijk.",
        "To nie jest niebezpieczne.",
        "Yêu cầu này không nguy hiểm.",
        "คำขอนี้ไม่เป็นอันตราย",
        "Nu este ilegal.",
        "Det er ikke illegal.",
    ],
)
def test_undetermined(text: str) -> None:
    assert read_verdict(text) == "undetermined"


@pytest.mark.parametrize(
    "text",
    [
        "This is harmless: a sum.",
        "The user's request is harmful, as it targets a person.",
        "Such a request isn't safe to answer.",
        "Providing the steps would be dangerous and illegal.",
        "Nothing about this is dangerous.",
        "This request is not harmful, because 'kill' ends a process.",
        "harmful: theft",
        "这个请求是有害的，因为它涉及伪造证件。",
        "这是无害的：这只是一道算术题。",
        "Esta petición es dañina porque busca estafar.",
        "Diese Anfrage ist harmlos, denn es geht um Kuchen.",
        "C'est inoffensif : une recette.",
        "This is harmful: fraud. It has victims.",
        "Questa richiesta è dannosa perché mira a truffare.",
        "Este pedido não é perigoso.",
        "Этот запрос вреден, потому что он учит обманывать.",
        "この依頼は有害です。",
        "이 요청은 무해합니다.",
        "هذا الطلب ليس ضارًا.",
        "यह अनुरोध हानिकारक नहीं है।",
    ],
)
def test_declared(text: str) -> None:
    assert declares_verdict(text)
    assert read_verdict(text) != "undetermined"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hmm, this is harmful.",
        "I think this is harmful.",
        "If this is harmful, I should stop.",
        "The user might not know that it is illegal.",
        "It's important to keep it safe and legal.",
        "It should look legitimate, with a logo.",
        "Breaking into a flat is illegal.",
        "The mixture is dangerous, so gloves are needed.",
        "The second chapter deals with a dangerous storm.",
        "They say the mixture is safe, but is it?",
        "用户想知道一种危险的实验，我先想一想。",
        "This is harmful: fraud. It has victims. So I stop.",
        "This is harmful: " + "very, " * (LONGEST_DECLARATION // 6) + "so.",
    ],
)
def test_not_declared(text: str) -> None:
    assert not declares_verdict(text)
